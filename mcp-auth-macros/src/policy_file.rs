//! Finds, reads and caches the policy file that annotations are checked against, and ties it to the build.

use std::{
    collections::HashMap,
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use mcp_auth_policy::Policy;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, LitStr};

/// Names another policy file for the compiler, whatever the attributes say. An absolute path.
pub(crate) const OVERRIDE: &str = "MCP_AUTH_COMPILE_POLICY";

/// How many lines of a policy's mistakes a compile error shows; `mcp-policy check` shows all.
const MAX_LINES: usize = 24;

/// A usable policy, and how to name its file to a reader.
pub(crate) struct PolicyFile {
    pub(crate) policy: Arc<Policy>,
    pub(crate) shown: String,
}

/// What decides which file is read.
pub(crate) struct Setting<'a> {
    attribute: Option<&'a LitStr>,
    manifest_dir: Option<PathBuf>,
    replacement: Option<PathBuf>,
}

impl<'a> Setting<'a> {
    /// Takes the path from the attribute and the rest from the compiler's environment.
    pub(crate) fn from_environment(attribute: Option<&'a LitStr>) -> Self {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            attribute,
            manifest_dir: variable("CARGO_MANIFEST_DIR"),
            replacement: variable(OVERRIDE),
        }
    }

    /// Reads the policy. `None` if neither the attribute nor the environment names one: then only the checks at start-up and on each
    /// call remain.
    ///
    /// # Errors
    /// If the file is missing, unreadable or no valid policy.
    pub(crate) fn load(&self) -> Result<Option<PolicyFile>, Error> {
        let span = self.attribute.map_or_else(Span::call_site, LitStr::span);
        let at = |message: String| Error::new(span, message);
        let (path, shown, folder) = match (&self.replacement, self.attribute) {
            (Some(path), _) if path.is_absolute() => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let folder = path.parent().unwrap_or(path).to_owned();
                (path.clone(), name, folder)
            }
            (Some(path), _) => {
                return Err(at(format!(
                    "`{OVERRIDE}` must be an absolute path, not `{}`",
                    path.display()
                )));
            }
            (None, None) => return Ok(None),
            (None, Some(literal)) => {
                let written = literal.value();
                if Path::new(&written).is_absolute() {
                    return Err(at(
                        "write the path of the policy relative to the package's folder".into()
                    ));
                }
                let folder = self.manifest_dir.clone().ok_or_else(|| {
                    at(format!(
                        "cannot tell the package's folder: build with cargo, or set `{OVERRIDE}`"
                    ))
                })?;
                (folder.join(&written), written, folder)
            }
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            at(format!(
                "cannot read policy `{shown}` from the folder `{}`: {error}",
                folder.display()
            ))
        })?;
        let policy = parse_cached(&path, &shown, text)
            .map_err(|report| at(format!("policy `{shown}` is not valid\n{report}")))?;
        Ok(Some(PolicyFile { policy, shown }))
    }

    /// Returns the constant that makes an edit of the file, or of the variable, rebuild the crate.
    ///
    /// `proc_macro::tracked` is unstable, and only what the compiler itself reads counts as a dependency. The path is put together by the
    /// compiler, so that no absolute path gets into the output.
    pub(crate) fn tracking(&self) -> TokenStream {
        let bytes = match (&self.replacement, self.attribute) {
            (Some(_), _) => quote!(::core::include_bytes!(::core::env!(#OVERRIDE))),
            (None, Some(path)) => {
                // Not the user's span: an error inside is ours, and the file was read a moment ago.
                let path = path.value();
                quote!(::core::include_bytes!(
                    ::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #path)
                ))
            }
            (None, None) => quote!(&[]),
        };
        quote! {
            const _: (&[::core::primitive::u8], ::core::option::Option<&::core::primitive::str>) =
                (#bytes, ::core::option_env!(#OVERRIDE));
        }
    }
}

type Parsed = Result<Arc<Policy>, String>;

/// Parses a file once per content: one compiler process expands every attribute of a crate, and an editor's process lives through edits.
fn parse_cached(path: &Path, shown: &str, text: String) -> Parsed {
    static CACHE: Mutex<Option<HashMap<PathBuf, (String, Parsed)>>> = Mutex::new(None);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = cache.get_or_insert_default();
    if let Some((_, parsed)) = cache.get(path).filter(|(known, _)| *known == text) {
        return parsed.clone();
    }
    let parsed = Policy::loader()
        .file_name(shown)
        .parse(&text)
        .map(Arc::new)
        .map_err(|errors| first_lines(&errors.to_string(), "mcp-policy check"));
    cache.insert(path.to_owned(), (text, parsed.clone()));
    parsed
}

/// Gives as much of a report as a compile error should show, and names the command that shows all of it.
pub(crate) fn first_lines(report: &str, command: &str) -> String {
    let more = format!("… and more: run `{command}` on the file");
    let mut lines: Vec<&str> = report.lines().take(MAX_LINES).collect();
    if report.lines().nth(MAX_LINES).is_some() {
        lines.push(&more);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
