//! The tree's JSON, decoded: everything that is right, and nothing that is wrong.

use mh_compile::ast::{Constant, ExprKind, Function, ParameterKind, StatementKind};
use mh_compile::decode::{DEPTH, hex_float};
use proptest::prelude::*;

fn function(body: &str) -> Result<Function, String> {
    let text = format!(r#"["FunctionDef",1,0,2,9,"f",[["arg",1,6,1,7,"x","normal",null]],[{body}]]"#);
    Function::from_json(&text, 3)
}

/// `return <expression>`.
fn expression(expression: &str) -> Result<ExprKind, String> {
    let function = function(&format!(r#"["Return",2,4,2,9,{expression}]"#))?;
    match function.body.into_iter().next().map(|statement| statement.kind) {
        Some(StatementKind::Return(Some(value))) => Ok(*value.kind),
        other => panic!("not a return: {other:?}"),
    }
}

#[test]
fn a_function() {
    let function = function(r#"["Return",2,4,2,9,["Name",2,8,2,9,"x"]]"#).expect("a right tree");
    assert_eq!(function.name, "f");
    assert_eq!(function.parameters[0].kind, ParameterKind::Normal);
    assert_eq!(
        (function.body[0].span.line, function.body[0].span.column, function.body[0].span.source),
        (2, 4, 3)
    );
    let lambda =
        Function::from_json(r#"["Lambda",1,0,1,9,[],["Name",1,8,1,9,"x"]]"#, 0).expect("a right tree");
    assert_eq!((lambda.name.as_str(), lambda.body.len()), ("<lambda>", 1));
}

#[test]
fn constants() {
    let constant =
        |kind: &str, text: &str| match expression(&format!(r#"["Constant",2,4,2,9,"{kind}","{text}"]"#)) {
            Ok(ExprKind::Constant(constant)) => Ok(constant),
            Ok(other) => panic!("{other:?}"),
            Err(why) => Err(why),
        };
    assert_eq!(constant("int", "9223372036854775807"), Ok(Constant::Int(Ok(i64::MAX))));
    assert_eq!(constant("int", "9223372036854775808"), Ok(Constant::Int(Err("9223372036854775808".into()))));
    assert_eq!(constant("int", "0xffff"), Ok(Constant::Int(Err("0xffff".into()))));
    assert_eq!(constant("bool", "False"), Ok(Constant::Bool(false)));
    assert_eq!(constant("float", "-0x1.8000000000000p+1"), Ok(Constant::Float(-3.0)));
    assert_eq!(constant("complex", "0x0.0p+0 0x1.8000000000000p+1"), Ok(Constant::Complex(0.0, 3.0)));
    assert_eq!(constant("bytes", ""), Ok(Constant::Other("bytes".into())));
    for (kind, text) in
        [("int", "x"), ("int", ""), ("int", "0x"), ("bool", "1"), ("float", "1.5"), ("complex", "0x0.0p+0")]
    {
        assert!(constant(kind, text).is_err(), "{kind} {text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let x = r#"["Name",2,4,2,9,"x"]"#;
    for tree in [
        "",
        "null",
        "[]",
        "[1,2,3,4,5]",
        "{}",
        r#"["Name",1,2,3,4,"x"]"#,
        r#"["FunctionDef",1,0,2]"#,
        r#"["FunctionDef",1,0,2,9,"f",[],[]] x"#,
        r#"["FunctionDef",1,0,2,9,"f",[]]"#,
        r#"["FunctionDef",-1,0,2,9,"f",[],[]]"#,
        r#"["FunctionDef",99999999999,0,2,9,"f",[],[]]"#,
        r#"["FunctionDef",1,0,2,9,5,[],[]]"#,
        r#"["FunctionDef",1,0,2,9,"f",{},[]]"#,
        r#"["FunctionDef",1,0,2,9,"f",[["arg",1,1,1,1,"x","odd",null]],[]]"#,
    ] {
        assert!(Function::from_json(tree, 0).is_err(), "{tree}");
    }
    for node in [
        "7".to_owned(),
        r#"["Name",2,4,2,9]"#.to_owned(),
        r#"["Name",2,4,2,9,"x","y"]"#.to_owned(),
        r#"["ListComp",2,4,2,9,1]"#.to_owned(),
        format!(r#"["Compare",2,4,2,9,{x},[],[]]"#),
        format!(r#"["Compare",2,4,2,9,{x},["Lt","Gt"],[{x}]]"#),
        format!(r#"["BoolOp",2,4,2,9,"And",[{x}]]"#),
        format!(r#"["Call",2,4,2,9,{x},[],[{x}]]"#),
        format!(r#"["FormattedValue",2,4,2,9,{x},"r",null]"#),
    ] {
        assert!(expression(&node).is_err(), "{node}");
    }
    assert_eq!(expression(r#"["ListComp",2,4,2,9]"#), Ok(ExprKind::Other("ListComp".into())));
}

#[test]
fn depth_has_a_limit() {
    let nested = |levels: usize| {
        let mut tree = r#"["Name",2,4,2,9,"x"]"#.to_owned();
        for _ in 0..levels {
            tree = format!(r#"["BinOp",2,4,2,9,{tree},"Add",["Name",2,4,2,9,"x"]]"#);
        }
        expression(&tree)
    };
    // The function, the return and the innermost name are levels too.
    assert!(nested(DEPTH - 3).is_ok());
    for levels in [DEPTH - 2, DEPTH, 3 * DEPTH, 3000] {
        let why = nested(levels).expect_err("too deep");
        assert!(why.contains("nested more than"), "{why}");
    }
    let brackets = "[".repeat(2_000_000);
    assert!(Function::from_json(&brackets, 0).is_err());
    let elifs = (0..DEPTH - 4)
        .fold(String::new(), |orelse, _| format!(r#"["If",2,4,2,9,["Name",2,4,2,9,"x"],[],[{orelse}]]"#));
    assert!(function(&elifs).is_ok());
    // Brackets within strings are no levels.
    let text = format!(r#"["Constant",2,4,2,9,"str","\"{}"]"#, "[".repeat(5000));
    assert!(expression(&text).is_ok());
}

proptest! {
    #[test]
    fn any_text_at_all(text in r#"(\["(FunctionDef|Lambda|Name|Call)",1,0,2,9|,|\[|\]|"[a-zA-Z]*"|[0-9]|null){0,30}"#) {
        let _ = Function::from_json(&text, 0);
    }

    /// A right tree with one piece taken out or doubled is decoded or refused, never worse.
    #[test]
    fn a_tree_with_a_fault(at in 0_usize..400, length in 0_usize..9, doubled: bool) {
        let tree = r#"["FunctionDef",1,0,2,9,"f",[["arg",1,6,1,7,"x","normal",null]],[["For",2,4,3,15,["Name",2,8,2,9,"i"],["Call",2,13,2,21,["Name",2,13,2,18,"range"],[["Name",2,19,2,20,"n"]],[["keyword",1,1,1,1,null,["Constant",1,1,1,1,"float","0x1.0p+0"]]]],[["AugAssign",3,8,3,15,["Name",3,8,3,9,"x"],"Add",["Compare",3,13,3,15,["Name",3,8,3,9,"x"],["Lt"],[["Lambda",1,1,1,1,[],["Name",3,8,3,9,"x"]]]]]],[]]]]"#;
        prop_assert!(Function::from_json(tree, 0).is_ok());
        let at = at.min(tree.len());
        let end = (at + length).min(tree.len());
        let broken = if doubled { format!("{}{}", &tree[..end], &tree[at..]) } else { format!("{}{}", &tree[..at], &tree[end..]) };
        let _ = Function::from_json(&broken, 0);
    }

    #[test]
    fn floats_come_back(bits: u64) {
        let value = f64::from_bits(bits);
        let back = hex_float(&hex(value));
        prop_assert!(back.is_some_and(|back| back.to_bits() == bits || back.is_nan() && value.is_nan()), "{value} {back:?}");
    }
}

/// Python's `float.hex()`.
fn hex(value: f64) -> String {
    let (bits, sign) = (value.to_bits(), if value.is_sign_negative() { "-" } else { "" });
    let (exponent, mantissa) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    match (exponent, mantissa) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{mantissa:013x}p-1022"),
        (0x7ff, 0) => format!("{sign}inf"),
        (0x7ff, _) => "nan".into(),
        _ => format!(
            "{sign}0x1.{mantissa:013x}p{:+}",
            i64::try_from(exponent).map_or(0, |exponent| exponent - 1023)
        ),
    }
}

#[test]
fn floats_at_the_edges() {
    for value in
        [0.0, -0.0, 5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::INFINITY, 2.0_f64.powi(-1070)]
    {
        assert_eq!(hex_float(&hex(value)).map(f64::to_bits), Some(value.to_bits()));
    }
    for text in [
        "0x1.0p+1024",
        "0x1.0p",
        "0x2.0p+0",
        "0x1.00000000000000p+0",
        "0x1.p+0",
        "1.0p+0",
        "0x1.+1p+0",
        "0x1.0p-9999999999",
    ] {
        assert_eq!(hex_float(text), None, "{text}");
    }
}
