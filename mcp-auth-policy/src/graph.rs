//! Reachability in `implies` and `includes`, without recursion: a chain may be as long as the file.

/// Cycles that are reported at most.
const CYCLES: usize = 20;

/// An order in which every node comes after all that it points to, and the cycles that stand against it.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) nodes: Vec<usize>,
    /// Each cycle once around: the nodes in the order of their edges, the last one pointing to the first.
    pub(crate) cycles: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Walks a graph given as lists of edges. Edges to nodes that do not exist are ignored.
pub(crate) fn order(edges: &[Vec<usize>]) -> Order {
    let mut marks = vec![Mark::New; edges.len()];
    let mut order = Order::default();
    for start in 0..edges.len() {
        // The path from `start` to the node in work, each with the number of its next edge.
        let mut path: Vec<(usize, usize)> = Vec::new();
        visit(start, &mut marks, &mut path);
        while let Some((node, next)) = path.last_mut() {
            let target = edges.get(*node).and_then(|targets| targets.get(*next)).copied();
            *next += 1;
            match target {
                Some(target) if marks.get(target) == Some(&Mark::Open) => {
                    if order.cycles.len() < CYCLES {
                        let cycle = path
                            .iter()
                            .map(|(node, _)| *node)
                            .skip_while(|node| *node != target)
                            .collect();
                        order.cycles.push(cycle);
                    }
                }
                Some(target) => visit(target, &mut marks, &mut path),
                None => {
                    let node = *node;
                    path.pop();
                    order.nodes.push(node);
                    if let Some(mark) = marks.get_mut(node) {
                        *mark = Mark::Done;
                    }
                }
            }
        }
    }
    order
}

fn visit(node: usize, marks: &mut [Mark], path: &mut Vec<(usize, usize)>) {
    if let Some(mark @ Mark::New) = marks.get_mut(node) {
        *mark = Mark::Open;
        path.push((node, 0));
    }
}
