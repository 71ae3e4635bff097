//! Builds the tree, and refuses keys that are no text or that were given already.

use std::{
    collections::{HashMap, hash_map},
    hash::BuildHasher as _,
};

use super::{Entry, MAX_DEPTH, Node, Value};
use crate::{diagnostic::Code, findings::Findings, source::Span, text::quoted};

/// The collections that are open at the moment, each inside the one before.
#[derive(Default)]
pub(super) struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

struct Open {
    span: Span,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map(OpenMap),
}

/// Entries of a mapping that are looked through one by one; more have an index.
const FEW: usize = 8;

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// The hash of every key with the number of its entry, if there are more than a few: a duplicate is found without a walk through them.
    numbers: HashMap<u64, usize>,
    /// A key that waits for its value; the inner option is empty for a key that was refused.
    key: Option<Option<(String, Span)>>,
}

impl Builder {
    pub(super) fn open_list(&mut self, span: Span, findings: &mut Findings<'_>) -> Option<()> {
        self.open(Kind::List(Vec::new()), span, findings)
    }

    pub(super) fn open_map(&mut self, span: Span, findings: &mut Findings<'_>) -> Option<()> {
        self.open(Kind::Map(OpenMap::default()), span, findings)
    }

    /// Opens a collection. `None` if that is too deep: reading has to stop.
    fn open(&mut self, kind: Kind, span: Span, findings: &mut Findings<'_>) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of nesting are not allowed");
            findings.error(Code::YamlDepth, span, message);
            return None;
        }
        self.open.push(Open { span, kind });
        Some(())
    }

    pub(super) fn close(&mut self, findings: &mut Findings<'_>) {
        let Some(Open { span, kind }) = self.open.pop() else {
            return;
        };
        let value = match kind {
            Kind::List(items) => Value::List(items),
            Kind::Map(map) => Value::Map(map.entries),
        };
        self.put(value, span, findings);
    }

    /// Puts a complete value where it belongs: it is the document, an item, a key, or the value of the key before.
    pub(super) fn put(&mut self, value: Value, span: Span, findings: &mut Findings<'_>) {
        let node = Node { value, span };
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.root = Some(node),
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map(map)) => match map.key.take() {
                None => map.key = Some(map.read_key(node, findings)),
                Some(None) => {}
                Some(Some((key, key_span))) => map.entries.push(Entry { key, key_span, node }),
            },
        }
    }

    pub(super) fn finish(self) -> Option<Node> {
        self.root
    }
}

impl OpenMap {
    /// Gives an earlier entry with this key. Without one, the key belongs to the entry that begins now.
    fn earlier(&mut self, key: &str) -> Option<&Entry> {
        let same = |entry: &&Entry| entry.key == key;
        if self.entries.len() < FEW {
            return self.entries.iter().find(same);
        }
        let hasher = self.numbers.hasher().clone();
        if self.numbers.is_empty() {
            let known = self.entries.iter().enumerate();
            self.numbers
                .extend(known.map(|(number, entry)| (hasher.hash_one(entry.key.as_str()), number)));
        }
        let number = match self.numbers.entry(hasher.hash_one(key)) {
            hash_map::Entry::Vacant(free) => {
                free.insert(self.entries.len());
                return None;
            }
            hash_map::Entry::Occupied(number) => *number.get(),
        };
        // Once in the age of the universe two keys have one hash, and only a walk tells.
        let found = self.entries.get(number).filter(same);
        found.or_else(|| self.entries.iter().find(same))
    }

    fn read_key(&mut self, node: Node, findings: &mut Findings<'_>) -> Option<(String, Span)> {
        let at = node.span;
        match node.value {
            Value::Refused => None,
            Value::Text(key) if key == "<<" => {
                findings.error_help(
                    Code::YamlMergeKey,
                    at,
                    "merge keys are not allowed",
                    "write the keys out",
                );
                None
            }
            Value::Text(key) => {
                let Some(first) = self.earlier(&key).map(|entry| entry.key_span.line) else {
                    return Some((key, at));
                };
                let message = format!("the key {} was given already in line {first}", quoted(&key));
                findings.error_help(Code::DuplicateKey, at, message, "keep one of the two");
                None
            }
            other => {
                let message = format!("a key must be text, and this is {}", other.kind());
                findings.error_help(Code::YamlKeyNotText, at, message, "put it in quotes if it is a name");
                None
            }
        }
    }
}
