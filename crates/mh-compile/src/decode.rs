//! The flattened tree (`ast`'s opening says how) out of its JSON. Total: whatever comes in, an error is the worst that comes out.

use serde_json::Value;

use crate::ast::{
    Constant, Expr, ExprKind, ExprKind as E, Function, Parameter, ParameterKind, Statement, StatementKind,
    StatementKind as S,
};
use crate::ir::Span;

/// Levels of statements and expressions within each other, function and all. Later stages walk the tree with calls, so it has a floor:
/// a sum of 190 terms and as many `elif` fit, what overflows the stack does not.
pub const DEPTH: usize = 200;

impl Function {
    /// The function in `text`; `source` becomes the number in its spans.
    ///
    /// # Errors
    /// Where the text is not such a tree, or too deep: a sentence.
    pub fn from_json(text: &str, source: u16) -> Result<Self, String> {
        // A node opens a bracket, and a list in it another.
        if brackets(text) > 2 * DEPTH + 4 {
            return Err(too_deep());
        }
        let mut parser = serde_json::Deserializer::from_str(text);
        parser.disable_recursion_limit();
        let tree: Value = serde::Deserialize::deserialize(&mut parser)
            .and_then(|tree| parser.end().map(|()| tree))
            .map_err(|why| format!("the syntax tree is not JSON: {why}"))?;
        Decoder { source }.function(&tree, DEPTH)
    }
}

fn too_deep() -> String {
    format!(
        "expressions and statements are nested more than {DEPTH} levels deep: split long sums or chains of elif into several statements"
    )
}

/// The deepest nesting of brackets outside of strings.
fn brackets(text: &str) -> usize {
    let (mut open, mut most, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => {
                open += 1;
                most = most.max(open);
            }
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    most
}

struct Decoder {
    source: u16,
}

type Result<T, E = String> = std::result::Result<T, E>;

/// A node taken apart.
struct Node<'a> {
    class: &'a str,
    span: Span,
    fields: &'a [Value],
    /// Levels left beneath.
    depth: usize,
}

impl<'a> Node<'a> {
    fn exactly(&self, count: usize) -> Result<()> {
        if self.fields.len() == count {
            return Ok(());
        }
        Err(format!("the syntax tree's {} has {} fields instead of {count}", self.class, self.fields.len()))
    }

    fn wrong(&self, what: &str) -> String {
        format!("the syntax tree's {} in line {} has {what}", self.class, self.span.line)
    }

    fn text(&self, field: usize) -> Result<&'a str> {
        self.fields[field].as_str().ok_or_else(|| self.wrong("no text where one is due"))
    }

    fn string(&self, field: usize) -> Result<String> {
        self.text(field).map(str::to_owned)
    }

    fn list(&self, field: usize) -> Result<&'a [Value]> {
        match &self.fields[field] {
            Value::Array(list) => Ok(list),
            _ => Err(self.wrong("no list where one is due")),
        }
    }

    fn strings(&self, field: usize) -> Result<Vec<String>> {
        self.list(field)?
            .iter()
            .map(|name| {
                name.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| self.wrong("a list of other things than names"))
            })
            .collect()
    }
}

impl Decoder {
    fn node<'a>(&self, value: &'a Value, depth: usize) -> Result<Node<'a>> {
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        let Value::Array(parts) = value else {
            return Err(format!("the syntax tree has {value} for a node"));
        };
        let [Value::String(class), line, column, end_line, end_column, fields @ ..] = &parts[..] else {
            return Err("the syntax tree has a node without class or place".into());
        };
        let place = |value: &Value| {
            value
                .as_u64()
                .and_then(|number| u32::try_from(number).ok())
                .ok_or_else(|| format!("the syntax tree's {class} stands at {value}, which is no place"))
        };
        let span = Span {
            source: self.source,
            line: place(line)?,
            column: place(column)?,
            end_line: place(end_line)?,
            end_column: place(end_column)?,
        };
        Ok(Node { class, span, fields, depth })
    }

    fn function(&self, value: &Value, depth: usize) -> Result<Function> {
        let node = self.node(value, depth)?;
        match node.class {
            "FunctionDef" => self.definition(&node),
            "Lambda" => self.lambda(&node),
            other => Err(format!("the syntax tree begins with {other}, not with a function")),
        }
    }

    fn definition(&self, node: &Node) -> Result<Function> {
        node.exactly(3)?;
        Ok(Function {
            name: node.string(0)?,
            span: node.span,
            parameters: self.parameters(node, 1)?,
            body: self.block(node, 2)?,
        })
    }

    fn lambda(&self, node: &Node) -> Result<Function> {
        node.exactly(2)?;
        let value = self.expr(&node.fields[1], node.depth)?;
        let span = value.span;
        let body = vec![Statement { kind: S::Return(Some(value)), span }];
        let parameters = self.parameters(node, 0)?;
        Ok(Function { name: "<lambda>".into(), span: node.span, parameters, body })
    }

    fn parameters(&self, node: &Node, field: usize) -> Result<Vec<Parameter>> {
        node.list(field)?
            .iter()
            .map(|value| {
                let node = self.node(value, node.depth)?;
                if node.class != "arg" {
                    return Err(node.wrong("no place among parameters"));
                }
                node.exactly(3)?;
                let kind = match node.text(1)? {
                    "positional" => ParameterKind::Positional,
                    "normal" => ParameterKind::Normal,
                    "varargs" => ParameterKind::VarArgs,
                    "keyword" => ParameterKind::Keyword,
                    "varkeywords" => ParameterKind::VarKeywords,
                    _ => return Err(node.wrong("an unknown kind")),
                };
                let default = self.maybe(&node, 2)?;
                Ok(Parameter { name: node.string(0)?, kind, default, span: node.span })
            })
            .collect()
    }

    fn block(&self, node: &Node, field: usize) -> Result<Vec<Statement>> {
        let list = node.list(field)?;
        let mut block = Vec::with_capacity(list.len());
        for value in list {
            block.push(self.statement(value, node.depth)?);
        }
        Ok(block)
    }

    fn statement(&self, value: &Value, depth: usize) -> Result<Statement> {
        let node = self.node(value, depth)?;
        let kind = self.statement_kind(&node)?;
        Ok(Statement { kind, span: node.span })
    }

    fn statement_kind(&self, node: &Node) -> Result<StatementKind> {
        match node.class {
            "Assign" => self.assign(node),
            "AugAssign" => self.aug_assign(node),
            "AnnAssign" => self.ann_assign(node),
            "For" => self.for_loop(node),
            "While" => self.while_loop(node),
            "If" => self.branch(node),
            "Return" => self.returned(node),
            "Raise" => self.raised(node),
            "Assert" => self.asserted(node),
            "Expr" => self.expression(node),
            "FunctionDef" => self.inner_definition(node),
            "Nonlocal" => names(node).map(S::Nonlocal),
            "Global" => names(node).map(S::Global),
            _ => {
                node.exactly(0)?;
                Ok(match node.class {
                    "Pass" => S::Pass,
                    "Break" => S::Break,
                    "Continue" => S::Continue,
                    other => S::Other(other.into()),
                })
            }
        }
    }

    fn assign(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(2)?;
        Ok(S::Assign(self.many(node, 0)?, self.one(node, 1)?))
    }

    fn aug_assign(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(3)?;
        Ok(S::AugAssign(self.one(node, 0)?, node.string(1)?, self.one(node, 2)?))
    }

    fn ann_assign(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(2)?;
        Ok(S::AnnAssign(self.one(node, 0)?, self.maybe(node, 1)?))
    }

    fn for_loop(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(4)?;
        Ok(S::For(self.one(node, 0)?, self.one(node, 1)?, self.block(node, 2)?, self.block(node, 3)?))
    }

    fn while_loop(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(3)?;
        Ok(S::While(self.one(node, 0)?, self.block(node, 1)?, self.block(node, 2)?))
    }

    fn branch(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(3)?;
        Ok(S::If(self.one(node, 0)?, self.block(node, 1)?, self.block(node, 2)?))
    }

    fn returned(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(1)?;
        Ok(S::Return(self.maybe(node, 0)?))
    }

    fn raised(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(2)?;
        Ok(S::Raise(self.maybe(node, 0)?, self.maybe(node, 1)?))
    }

    fn asserted(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(2)?;
        Ok(S::Assert(self.one(node, 0)?, self.maybe(node, 1)?))
    }

    fn expression(&self, node: &Node) -> Result<StatementKind> {
        node.exactly(1)?;
        Ok(S::Expr(self.one(node, 0)?))
    }

    fn inner_definition(&self, node: &Node) -> Result<StatementKind> {
        Ok(S::FunctionDef(Box::new(self.definition(node)?)))
    }

    fn one(&self, node: &Node, field: usize) -> Result<Expr> {
        self.expr(&node.fields[field], node.depth)
    }

    fn maybe(&self, node: &Node, field: usize) -> Result<Option<Expr>> {
        if node.fields[field].is_null() { Ok(None) } else { self.one(node, field).map(Some) }
    }

    fn many(&self, node: &Node, field: usize) -> Result<Vec<Expr>> {
        let list = node.list(field)?;
        let mut values = Vec::with_capacity(list.len());
        for value in list {
            values.push(self.expr(value, node.depth)?);
        }
        Ok(values)
    }

    // A function for each node: what the deepest recursion costs is one node's frame, not that of all of them.

    fn expr(&self, value: &Value, depth: usize) -> Result<Expr> {
        let node = self.node(value, depth)?;
        let kind = self.expr_kind(&node)?;
        Ok(Expr { kind, span: node.span })
    }

    fn expr_kind(&self, node: &Node) -> Result<Box<ExprKind>> {
        match node.class {
            "Constant" => constant(node).map(|value| Box::new(E::Constant(value))),
            "Name" => name(node),
            "Attribute" => self.attribute(node),
            "Subscript" => self.subscript(node),
            "Slice" => self.slice(node),
            "Tuple" => self.tuple(node),
            "List" => self.list(node),
            "Starred" => self.starred(node),
            "UnaryOp" => self.unary_op(node),
            "BinOp" => self.bin_op(node),
            "IfExp" => self.if_exp(node),
            "Call" => self.call(node),
            "NamedExpr" => self.named_expr(node),
            "JoinedStr" => self.joined_str(node),
            "BoolOp" => self.bool_op(node),
            "Compare" => self.compare(node),
            "FormattedValue" => self.formatted_value(node),
            "Lambda" => self.inner_lambda(node),
            _ => other(node),
        }
    }

    fn attribute(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(2)?;
        Ok(Box::new(E::Attribute(self.one(node, 0)?, node.string(1)?)))
    }

    fn subscript(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(2)?;
        Ok(Box::new(E::Subscript(self.one(node, 0)?, self.one(node, 1)?)))
    }

    fn slice(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(3)?;
        Ok(Box::new(E::Slice(self.maybe(node, 0)?, self.maybe(node, 1)?, self.maybe(node, 2)?)))
    }

    fn tuple(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(1)?;
        Ok(Box::new(E::Tuple(self.many(node, 0)?)))
    }

    fn list(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(1)?;
        Ok(Box::new(E::List(self.many(node, 0)?)))
    }

    fn starred(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(1)?;
        Ok(Box::new(E::Starred(self.one(node, 0)?)))
    }

    fn unary_op(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(2)?;
        Ok(Box::new(E::UnaryOp(node.string(0)?, self.one(node, 1)?)))
    }

    fn bin_op(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(3)?;
        Ok(Box::new(E::BinOp(self.one(node, 0)?, node.string(1)?, self.one(node, 2)?)))
    }

    fn if_exp(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(3)?;
        Ok(Box::new(E::IfExp(self.one(node, 0)?, self.one(node, 1)?, self.one(node, 2)?)))
    }

    fn call(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(3)?;
        Ok(Box::new(E::Call(self.one(node, 0)?, self.many(node, 1)?, self.keywords(node, 2)?)))
    }

    fn named_expr(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(2)?;
        Ok(Box::new(E::NamedExpr(self.one(node, 0)?, self.one(node, 1)?)))
    }

    fn joined_str(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(1)?;
        Ok(Box::new(E::JoinedStr(self.many(node, 0)?)))
    }

    fn bool_op(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(2)?;
        let values = self.many(node, 1)?;
        if values.len() < 2 {
            return Err(node.wrong("fewer than two values"));
        }
        Ok(Box::new(E::BoolOp(node.string(0)?, values)))
    }

    fn compare(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(3)?;
        let (operators, values) = (node.strings(1)?, self.many(node, 2)?);
        if operators.is_empty() || operators.len() != values.len() {
            return Err(node.wrong("not an operator for each value"));
        }
        Ok(Box::new(E::Compare(self.one(node, 0)?, operators, values)))
    }

    fn formatted_value(&self, node: &Node) -> Result<Box<ExprKind>> {
        node.exactly(3)?;
        let conversion = node.fields[1].as_i64().ok_or_else(|| node.wrong("no conversion"))?;
        Ok(Box::new(E::FormattedValue(self.one(node, 0)?, conversion, self.maybe(node, 2)?)))
    }

    fn inner_lambda(&self, node: &Node) -> Result<Box<ExprKind>> {
        Ok(Box::new(E::Lambda(Box::new(self.lambda(node)?))))
    }

    fn keywords(&self, node: &Node, field: usize) -> Result<Vec<(Option<String>, Expr)>> {
        node.list(field)?
            .iter()
            .map(|value| {
                let node = self.node(value, node.depth)?;
                if node.class != "keyword" {
                    return Err(node.wrong("no place among keywords"));
                }
                node.exactly(2)?;
                let name = if node.fields[0].is_null() { None } else { Some(node.string(0)?) };
                Ok((name, self.one(&node, 1)?))
            })
            .collect()
    }
}

fn name(node: &Node) -> Result<Box<ExprKind>> {
    node.exactly(1)?;
    Ok(Box::new(E::Name(node.string(0)?)))
}

fn other(node: &Node) -> Result<Box<ExprKind>> {
    node.exactly(0)?;
    Ok(Box::new(E::Other(node.class.into())))
}

fn names(node: &Node) -> Result<Vec<String>> {
    node.exactly(1)?;
    node.strings(0)
}

fn constant(node: &Node) -> Result<Constant> {
    node.exactly(2)?;
    let text = node.text(1)?;
    let wrong = || node.wrong("a value that does not fit its type");
    Ok(match node.text(0)? {
        "None" => Constant::None,
        "Ellipsis" => Constant::Ellipsis,
        "bool" => Constant::Bool(match text {
            "True" => true,
            "False" => false,
            _ => return Err(wrong()),
        }),
        "int" => Constant::Int(match text.parse() {
            Ok(value) => Ok(value),
            Err(_) if is_integer(text) => Err(text.to_owned()),
            Err(_) => return Err(wrong()),
        }),
        "float" => Constant::Float(hex_float(text).ok_or_else(wrong)?),
        "complex" => {
            let (real, imaginary) = text.split_once(' ').ok_or_else(wrong)?;
            Constant::Complex(hex_float(real).ok_or_else(wrong)?, hex_float(imaginary).ok_or_else(wrong)?)
        }
        "str" => Constant::Str(text.to_owned()),
        other => Constant::Other(other.to_owned()),
    })
}

/// Decimal digits, or hexadecimal ones after `0x`.
fn is_integer(text: &str) -> bool {
    match text.strip_prefix("0x") {
        Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The float of which `text` is Python's `float.hex()`.
#[must_use]
pub fn hex_float(text: &str) -> Option<f64> {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |text| (-1.0, text));
    match text {
        "inf" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let (digits, exponent) = text.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = digits.split_once('.')?;
    let exponent: i32 = exponent.parse().ok()?;
    let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !matches!(whole, "0" | "1") || fraction.is_empty() || fraction.len() > 13 || !plain(fraction) {
        return None;
    }
    // At most 53 bits, and a product that can be represented: each step is exact.
    let digits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let scale = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    if !(-1074..=1023).contains(&scale) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
    let value = if scale < -1000 {
        digits as f64 * 2f64.powi(-1000) * 2f64.powi(scale + 1000)
    } else {
        digits as f64 * 2f64.powi(scale)
    };
    value.is_finite().then_some(sign * value)
}
