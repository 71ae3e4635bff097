//! Events of `saphyr-parser` to a tree.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::{Node, Value, builder::Builder, scalar::resolve_plain};
use crate::{diagnostic::Code, findings::Findings, source::Span, text::printable};

/// Reads the one document of `text`. `None` after a mistake that leaves no tree.
pub(crate) fn parse(text: &str, findings: &mut Findings<'_>) -> Option<Node> {
    let mut builder = Builder::default();
    let mut documents = 0;
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, place) = match event {
            Ok((event, place)) => (event, span_of(place)),
            Err(error) => {
                report_syntax(&error, findings);
                return None;
            }
        };
        match event {
            Event::DocumentStart(explicit) => {
                documents += 1;
                if documents > 1 {
                    let help = "keep one document per file";
                    findings.error_help(Code::YamlSecondDocument, place, "a second document begins here", help);
                    break;
                }
                if explicit {
                    refuse_directives(place, findings);
                }
            }
            Event::Alias(_) => {
                findings.error_help(Code::YamlAlias, place, "aliases are not allowed", "write the value out");
                builder.put(Value::Refused, place, findings);
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_properties(anchor, tag.is_some(), place, findings);
                let value = match (tag, style) {
                    (Some(_), _) => Value::Refused,
                    // A copy of the right size: the parser's text has room for 128 bytes more.
                    (None, ScalarStyle::Plain) => resolve_plain(&text),
                    (None, _) => Value::Text(str::to_owned(&text)),
                };
                builder.put(value, place, findings);
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_properties(anchor, tag.is_some(), place, findings);
                builder.open_list(place, findings)?;
            }
            Event::MappingStart(anchor, tag) => {
                refuse_properties(anchor, tag.is_some(), place, findings);
                builder.open_map(place, findings)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(findings),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    let root = builder.finish();
    if root.is_none() {
        findings.error(Code::YamlEmpty, Span::START, "the file holds nothing");
    }
    root
}

/// The parser counts columns from 0, and lines from 1.
fn span_of(place: saphyr_parser::Span) -> Span {
    let (start, end) = (place.start, place.end);
    let width = if start.line() == end.line() {
        end.col().saturating_sub(start.col())
    } else {
        1
    };
    Span {
        line: start.line().max(1),
        column: start.col() + 1,
        width: width.max(1),
    }
}

fn report_syntax(error: &ScanError, findings: &mut Findings<'_>) {
    let mark = error.marker();
    let place = Span {
        line: mark.line().max(1),
        column: mark.col() + 1,
        width: 1,
    };
    let message = format!("this is not valid YAML: {}", printable(error.info().trim()));
    findings.error(Code::YamlSyntax, place, message);
}

fn refuse_properties(anchor: usize, tagged: bool, place: Span, findings: &mut Findings<'_>) {
    // saphyr-parser counts anchors from 1; 0 means none.
    if anchor != 0 {
        let help = "write the value out where it is needed";
        findings.error_help(Code::YamlAnchor, place, "anchors are not allowed", help);
    }
    if tagged {
        let help = "delete the word that begins with `!`";
        findings.error_help(Code::YamlTag, place, "tags are not allowed", help);
    }
}

/// Refuses `%YAML` and `%TAG`: the parser takes them without an event, and readers disagree about what they change.
fn refuse_directives(document: Span, findings: &mut Findings<'_>) {
    let mut before = findings.source().lines_before(document.line);
    if let Some(line) = before.position(|line| line.starts_with('%')) {
        let place = Span {
            line: line + 1,
            column: 1,
            width: 1,
        };
        findings.error_help(
            Code::YamlDirective,
            place,
            "directives are not allowed",
            "delete this line",
        );
    }
}
