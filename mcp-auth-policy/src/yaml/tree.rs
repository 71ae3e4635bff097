//! Events of `saphyr-parser` to a tree.

use std::collections::{HashMap, hash_map};

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::{Entry, MAX_DEPTH, Node, Value, scalar::resolve_plain};
use crate::{
    diagnostic::Code,
    findings::Findings,
    source::Span,
    text::{printable, quoted},
};

/// Reads the one document of `text`. `None` after a mistake that leaves no tree.
pub(crate) fn parse(text: &str, findings: &mut Findings<'_>) -> Option<Node> {
    let mut builder = Builder {
        open: Vec::new(),
        root: None,
    };
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = Span {
                    line: error.marker().line().max(1),
                    column: error.marker().col() + 1,
                    width: 1,
                };
                findings.error(
                    Code::YamlSyntax,
                    at,
                    format!("this is not valid YAML: {}", printable(error.info().trim())),
                );
                return None;
            }
        };
        let width = if place.start.line() == place.end.line() {
            place.end.col().saturating_sub(place.start.col())
        } else {
            1
        };
        let at = Span {
            line: place.start.line().max(1),
            column: place.start.col() + 1,
            width: width.max(1),
        };
        match event {
            Event::DocumentStart(explicit) => {
                documents += 1;
                if documents > 1 {
                    findings.error_help(
                        Code::YamlSecondDocument,
                        at,
                        "a second document begins here",
                        "keep one document per file",
                    );
                    break;
                }
                if explicit {
                    refuse_directives(at, findings);
                }
            }
            Event::Alias(_) => {
                findings.error_help(Code::YamlAlias, at, "aliases are not allowed", "write the value out");
                builder.put(
                    Node {
                        value: Value::Refused,
                        span: at,
                    },
                    findings,
                );
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_properties(anchor, tag.is_some(), at, findings);
                let text = text.into_owned();
                let value = if style == ScalarStyle::Plain {
                    resolve_plain(text)
                } else {
                    Value::Text(text)
                };
                let value = if tag.is_some() { Value::Refused } else { value };
                builder.put(Node { value, span: at }, findings);
            }
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) if builder.open.len() >= MAX_DEPTH => {
                refuse_properties(anchor, tag.is_some(), at, findings);
                findings.error(
                    Code::YamlDepth,
                    at,
                    format!("more than {MAX_DEPTH} levels of nesting are not allowed"),
                );
                return None;
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_properties(anchor, tag.is_some(), at, findings);
                builder.open.push(Open {
                    span: at,
                    kind: Kind::List(Vec::new()),
                });
            }
            Event::MappingStart(anchor, tag) => {
                refuse_properties(anchor, tag.is_some(), at, findings);
                builder.open.push(Open {
                    span: at,
                    kind: Kind::Map(OpenMap::default()),
                });
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(findings),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    if builder.root.is_none() {
        findings.error(Code::YamlEmpty, Span::START, "the file holds nothing");
    }
    builder.root
}

fn refuse_properties(anchor: usize, tagged: bool, at: Span, findings: &mut Findings<'_>) {
    // saphyr-parser counts anchors from 1; 0 means none.
    if anchor != 0 {
        findings.error_help(
            Code::YamlAnchor,
            at,
            "anchors are not allowed",
            "write the value out where it is needed",
        );
    }
    if tagged {
        findings.error_help(
            Code::YamlTag,
            at,
            "tags are not allowed",
            "delete the word that begins with `!`",
        );
    }
}

/// Refuses `%YAML` and `%TAG`: the parser takes them without an event, and readers disagree about what they change.
fn refuse_directives(document: Span, findings: &mut Findings<'_>) {
    let line = findings
        .source()
        .lines_before(document.line)
        .position(|line| line.starts_with('%'));
    if let Some(line) = line {
        let at = Span {
            line: line + 1,
            column: 1,
            width: 1,
        };
        findings.error_help(
            Code::YamlDirective,
            at,
            "directives are not allowed",
            "delete this line",
        );
    }
}

struct Builder {
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

#[derive(Default)]
struct OpenMap {
    entries: Vec<Entry>,
    /// Every key with its line: duplicates are found without a walk through the entries.
    lines: HashMap<String, usize>,
    /// A key that waits for its value; the inner option is empty for a key that was refused.
    key: Option<Option<(String, Span)>>,
}

impl Builder {
    fn close(&mut self, findings: &mut Findings<'_>) {
        let Some(Open { span, kind }) = self.open.pop() else {
            return;
        };
        let value = match kind {
            Kind::List(items) => Value::List(items),
            Kind::Map(map) => Value::Map(map.entries),
        };
        self.put(Node { value, span }, findings);
    }

    fn put(&mut self, node: Node, findings: &mut Findings<'_>) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open {
                kind: Kind::List(items),
                ..
            }) => items.push(node),
            Some(Open {
                kind: Kind::Map(map), ..
            }) => match map.key.take() {
                None => map.key = Some(map.read_key(node, findings)),
                Some(None) => {}
                Some(Some((key, key_span))) => map.entries.push(Entry { key, key_span, node }),
            },
        }
    }
}

impl OpenMap {
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
                let first = match self.lines.entry(key.clone()) {
                    hash_map::Entry::Vacant(free) => {
                        free.insert(at.line);
                        return Some((key, at));
                    }
                    hash_map::Entry::Occupied(first) => *first.get(),
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
