//! Stage 6, first: what was inlined and cannot fail is part of what stands around it.
//!
//! The block of an inlined call tells where an error in it was called from. Where nothing in it raises and nothing leaves it early, its statements
//! are as good without it, and loops around them are seen to be straight.

use crate::ir::{Block, Check, Label, Statement, StatementKind};
use crate::races::walk::blocks;
use crate::walk::{blocks_mut, expressions, may_raise};

/// Takes such blocks out of a block, wherever they are.
pub(super) fn flatten(block: &mut Block) {
    let mut at = 0;
    while at < block.len() {
        if let StatementKind::For(each) = &mut block[at].kind
            && let Some(fast) = &mut each.fast
        {
            flatten(&mut fast.body);
        }
        blocks_mut(&mut block[at]).into_iter().for_each(flatten);
        match &mut block[at].kind {
            StatementKind::Labelled { label, body, call: Some(_) }
                if body.iter().all(|inner| stays(inner, *label)) =>
            {
                let body = std::mem::take(body);
                let count = body.len();
                block.splice(at..=at, body);
                at += count;
            }
            _ => at += 1,
        }
    }
}

/// Neither leaves the block nor raises.
fn stays(statement: &Statement, label: Label) -> bool {
    let own = match &statement.kind {
        StatementKind::Assign { .. } | StatementKind::If { .. } | StatementKind::Labelled { .. } => true,
        StatementKind::Store { check, .. } => *check != Check::Branch,
        StatementKind::For(each) => each.parallel.is_none() && each.fast.is_none(),
        StatementKind::Leave(other) => *other != label,
        _ => false,
    };
    own && !expressions(statement).into_iter().any(may_raise)
        && blocks(statement).into_iter().flatten().all(|inner| stays(inner, label))
}
