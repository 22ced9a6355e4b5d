//! Python's syntax tree, flattened by the binding's Python side (`manyhands/_tree.py`) into JSON, decoded.
//!
//! A node is `[class, line, column, end_line, end_column, field, ...]`: the class of Python's `ast`, its place (lines in the file; columns
//! in UTF-8 bytes, as `ast` counts them), and the fields in the order in which they stand here. A list is a list of nodes, an absent node
//! `null`, a name or an operator (`"Add"`) a string. Constants: `["Constant", ..., type, text]` with type `int`, `float` (text is
//! `float.hex()`), `complex` (text is two hex floats), `bool`, `str`, `None`, `Ellipsis`; other types come as their own name and are
//! refused where they are used. Nodes that are not listed come as `["<class>", ...place]` without fields: `Other`. `decode` reads it.

use crate::ir::Span;

/// `["FunctionDef", ..., name, parameters, body]` or `["Lambda", ..., parameters, expression]` (a body of one `Return`, the name `<lambda>`).
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub span: Span,
    pub parameters: Vec<Parameter>,
    pub body: Vec<Statement>,
}

/// `["arg", ..., name, kind, default]`, kind: `positional`, `normal`, `varargs`, `keyword`, `varkeywords`. `default` is there in functions
/// within the function (`def` and `lambda`); values of the outermost's defaults are in `world::Code`.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub kind: ParameterKind,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    Positional,
    Normal,
    VarArgs,
    Keyword,
    VarKeywords,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// targets, value
    Assign(Vec<Expr>, Expr),
    /// target, operator, value
    AugAssign(Expr, String, Expr),
    /// target, annotation (ignored), value
    AnnAssign(Expr, Option<Expr>),
    /// target, iterable, body, orelse
    For(Expr, Expr, Vec<Statement>, Vec<Statement>),
    /// test, body, orelse
    While(Expr, Vec<Statement>, Vec<Statement>),
    /// test, body, orelse
    If(Expr, Vec<Statement>, Vec<Statement>),
    Return(Option<Expr>),
    /// exception, cause
    Raise(Option<Expr>, Option<Expr>),
    /// test, message
    Assert(Expr, Option<Expr>),
    Expr(Expr),
    Pass,
    Break,
    Continue,
    /// A nested `def`: compiled through where it is called.
    FunctionDef(Box<Function>),
    /// names
    Nonlocal(Vec<String>),
    Global(Vec<String>),
    /// Its class: `Try`, `With`, `Import`, `ClassDef`, `Delete`, ...
    Other(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: Box<ExprKind>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Constant(Constant),
    Name(String),
    /// value, attribute
    Attribute(Expr, String),
    /// value, index
    Subscript(Expr, Expr),
    /// lower, upper, step
    Slice(Option<Expr>, Option<Expr>, Option<Expr>),
    Tuple(Vec<Expr>),
    List(Vec<Expr>),
    Starred(Expr),
    /// operator, operand
    UnaryOp(String, Expr),
    /// left, operator, right
    BinOp(Expr, String, Expr),
    /// `And` or `Or`, values
    BoolOp(String, Vec<Expr>),
    /// left, operators, comparators
    Compare(Expr, Vec<String>, Vec<Expr>),
    /// test, body, orelse
    IfExp(Expr, Expr, Expr),
    /// function, arguments, keywords (`["keyword", ..., name or null, value]`)
    Call(Expr, Vec<Expr>, Vec<(Option<String>, Expr)>),
    /// target, value
    NamedExpr(Expr, Expr),
    /// parts: constants and formatted values
    JoinedStr(Vec<Expr>),
    /// value, conversion (-1, 115, ...), format as a JoinedStr
    FormattedValue(Expr, i64, Option<Expr>),
    Lambda(Box<Function>),
    /// Its class: `ListComp`, `Dict`, `Await`, ...
    Other(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    None,
    Ellipsis,
    Bool(bool),
    /// Its digits where it does not fit (decimal; hexadecimal after `0x` where there are thousands).
    Int(Result<i64, String>),
    Float(f64),
    Complex(f64, f64),
    Str(String),
    Other(String),
}
