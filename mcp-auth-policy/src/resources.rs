//! Finds the resource that a URI belongs to, without trying every template.

use std::collections::{HashMap, HashSet};

use crate::uri_template::{Segment, UriTemplate, decoded};

/// Templates as a tree of their segments. No two templates in it match the same URI.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    nodes: Vec<Branches>,
    /// The resources with a rule of their own, decoded.
    exact: HashSet<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Branches {
    literals: HashMap<String, usize>,
    variables: Vec<(Segment, usize)>,
    /// The operation whose template ends here.
    end: Option<u32>,
}

impl Templates {
    /// Adds a template, or gives the one that some URI would match as well.
    pub(crate) fn insert(&mut self, template: &UriTemplate, index: u32) -> Result<(), u32> {
        if self.nodes.is_empty() {
            self.nodes.push(Branches::default());
        }
        if let Some(other) = self.ends(template.segments.iter(), Branches::overlapping) {
            return Err(other);
        }
        let mut at = 0;
        for segment in &template.segments {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return Ok(());
            };
            at = match segment {
                Segment::Literal(text) => *node.literals.entry(text.clone()).or_insert(next),
                variable => match node.variables.iter().find(|(known, _)| known == variable) {
                    Some((_, child)) => *child,
                    None => {
                        node.variables.push((variable.clone(), next));
                        next
                    }
                },
            };
            if at == next {
                self.nodes.push(Branches::default());
            }
        }
        if let Some(node) = self.nodes.get_mut(at) {
            node.end = Some(index);
        }
        Ok(())
    }

    /// Notes a resource with a rule of its own.
    pub(crate) fn except(&mut self, uri: &str) {
        self.exact.insert(decoded(uri));
    }

    /// Finds the one template that matches. A resource with a rule of its own is not to be had by writing it in another way.
    pub(crate) fn find(&self, uri: &str) -> Option<u32> {
        let index = self.ends(uri.split('/'), Branches::matching)?;
        let is_exception = !self.exact.is_empty() && self.exact.contains(&decoded(uri));
        (!is_exception).then_some(index)
    }

    /// Follows all branches that fit at once, segment by segment, and gives the first template that ends there.
    fn ends<T: Copy>(
        &self,
        segments: impl Iterator<Item = T>,
        fitting: fn(&Branches, T, &mut Vec<usize>),
    ) -> Option<u32> {
        let mut alive = vec![0];
        for segment in segments {
            let mut next = Vec::new();
            for node in alive.iter().filter_map(|node| self.nodes.get(*node)) {
                fitting(node, segment, &mut next);
            }
            if next.is_empty() {
                return None;
            }
            alive = next;
        }
        alive.iter().filter_map(|node| self.nodes.get(*node)?.end).min()
    }
}

impl Branches {
    fn matching(&self, text: &str, next: &mut Vec<usize>) {
        next.extend(self.literals.get(text));
        let variables = self.variables.iter().filter(|(variable, _)| variable.matches(text));
        next.extend(variables.map(|(_, child)| *child));
    }

    fn overlapping(&self, segment: &Segment, next: &mut Vec<usize>) {
        match segment {
            Segment::Literal(text) => self.matching(text, next),
            variable => {
                let literals = self.literals.iter().filter(|(text, _)| variable.matches(text));
                next.extend(literals.map(|(_, child)| *child));
                let variables = self.variables.iter().filter(|(known, _)| known.overlaps(variable));
                next.extend(variables.map(|(_, child)| *child));
            }
        }
    }
}
