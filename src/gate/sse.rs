//! Server-sent events as an MCP transport writes them (WHATWG HTML section 9.2), cut out of a stream of bytes.

use bytes::{Bytes, BytesMut};

/// Collects bytes until events are complete.
#[derive(Debug, Default)]
pub(super) struct Events {
    pending: BytesMut,
    /// Up to here no blank line begins.
    searched: usize,
}

/// One event with the blank line that ends it, as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event(Bytes);

impl Events {
    /// Adds what arrived.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// Takes the next complete event. What is incomplete at the end of a stream is no event (section 9.2.6).
    pub(super) fn next(&mut self) -> Option<Event> {
        let rest = self.pending.get(self.searched..)?;
        let Some(end) = blank_line(rest) else {
            // A line break at the very end may be the first half of a blank line.
            self.searched = self.pending.len().saturating_sub(3);
            return None;
        };
        let event = self.pending.split_to(self.searched + end);
        self.searched = 0;
        Some(Event(event.freeze()))
    }
}

/// Finds the end of the first blank line: two line breaks, each `\n` or `\r\n`.
fn blank_line(bytes: &[u8]) -> Option<usize> {
    let ends = |pattern: &[u8]| {
        let found = bytes.windows(pattern.len()).position(|window| window == pattern);
        found.map(|start| start + pattern.len())
    };
    [&b"\n\n"[..], b"\n\r\n"].into_iter().filter_map(ends).min()
}

impl Event {
    /// Returns the event as it was sent.
    pub(super) fn into_bytes(self) -> Bytes {
        self.0
    }

    /// Returns the data: the lines of that field, joined. Empty for an event that only keeps the connection open or names an id.
    pub(super) fn data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for line in self.lines().filter_map(data_of) {
            if !data.is_empty() {
                data.push(b'\n');
            }
            data.extend_from_slice(line);
        }
        data
    }

    /// Returns the same event with other data, which holds no line break.
    pub(super) fn with_data(&self, data: &[u8]) -> Bytes {
        let mut event = BytesMut::new();
        for line in self.lines().filter(|line| !line.is_empty() && data_of(line).is_none()) {
            event.extend_from_slice(line);
            event.extend_from_slice(b"\n");
        }
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(data);
        event.extend_from_slice(b"\n\n");
        event.freeze()
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.split(|byte| *byte == b'\n');
        lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// The value of a `data` line.
fn data_of(line: &[u8]) -> Option<&[u8]> {
    let value = line.strip_prefix(b"data")?;
    match value.strip_prefix(b":") {
        Some(value) => Some(value.strip_prefix(b" ").unwrap_or(value)),
        None => value.is_empty().then_some(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_alike_wherever_the_stream_is_split() {
        let stream = "id: 0\ndata:\n\nevent: message\r\nid: 1\r\ndata: {\"a\":\r\ndata:1}\r\n\r\n: ping\n\ndata\n\ndata: unfinished\n";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let mut data = Vec::new();
            for chunk in stream.as_bytes().chunks(size) {
                events.push(chunk);
                while let Some(event) = events.next() {
                    data.push(String::from_utf8(event.data()).unwrap());
                }
            }
            assert_eq!(data, ["", "{\"a\":\n1}", "", ""], "{size}");
        }
    }

    #[test]
    fn other_fields_stay_when_data_is_replaced() {
        let mut events = Events::default();
        events.push(b"event: message\r\nid: 1\r\ndata: {\r\ndata: }\r\n\r\n");
        let event = events.next().unwrap();
        assert_eq!(event.with_data(b"[]"), "event: message\nid: 1\ndata: []\n\n");
        assert!(event.into_bytes().ends_with(b"\r\n\r\n"));
    }
}
