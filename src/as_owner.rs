//! What the expression in `owner = …` may give.

use std::{borrow::Cow, rc::Rc, sync::Arc};

/// The owner of an object, as `#[requires_scope(…, owner = …)]` asks for it: a text, or an `Option` of one.
///
/// `None` and the empty text are nobody's: a caller that is limited to its own objects is refused. Implement it for an own type of owner.
#[diagnostic::on_unimplemented(
    message = "`owner = …` must give the owner of the object, but `{Self}` is none",
    label = "this is no owner",
    note = "give the owner key as `&str`, `String` or an `Option` of them; `.await` and `?` may stand in the expression"
)]
pub trait AsOwner {
    /// Returns the owner key, if there is an owner.
    fn as_owner(&self) -> Option<&str>;
}

impl AsOwner for str {
    fn as_owner(&self) -> Option<&str> {
        Some(self)
    }
}

impl AsOwner for String {
    fn as_owner(&self) -> Option<&str> {
        Some(self)
    }
}

impl<O: AsOwner> AsOwner for Option<O> {
    fn as_owner(&self) -> Option<&str> {
        self.as_ref().and_then(O::as_owner)
    }
}

impl<O: AsOwner + ?Sized> AsOwner for &O {
    fn as_owner(&self) -> Option<&str> {
        (**self).as_owner()
    }
}

impl<O: AsOwner + ?Sized> AsOwner for Box<O> {
    fn as_owner(&self) -> Option<&str> {
        (**self).as_owner()
    }
}

impl<O: AsOwner + ?Sized> AsOwner for Rc<O> {
    fn as_owner(&self) -> Option<&str> {
        (**self).as_owner()
    }
}

impl<O: AsOwner + ?Sized> AsOwner for Arc<O> {
    fn as_owner(&self) -> Option<&str> {
        (**self).as_owner()
    }
}

impl<O: AsOwner + ToOwned + ?Sized> AsOwner for Cow<'_, O> {
    fn as_owner(&self) -> Option<&str> {
        (**self).as_owner()
    }
}
