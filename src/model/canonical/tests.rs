use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serializer;
use serde_json::{Value, json};

use super::serializer::MAX_EXACT;
use super::*;

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Unit,
    Newtype(u8),
    Tuple(u8, f64),
    Struct { z: Option<u8>, a: char },
}

#[derive(Serialize)]
struct Shapes {
    zeta: Vec<Shape>,
    alpha: (i64, u64, f32),
    empty: [u8; 0],
}

#[test]
fn members_are_ordered_by_the_code_units_of_their_keys() {
    // RFC 8785, section 3.2.3.
    let value = json!({
        "\u{20ac}": 0, "\r": 0, "\u{fb33}": 0, "1": 0, "\u{1f600}": 0, "\u{80}": 0, "\u{f6}": 0,
    });
    let text = to_string(&value).unwrap();
    let names = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
    let members = names.map(|name| format!("\"{name}\":0")).join(",");
    assert_eq!(text, format!("{{{members}}}"));
}

#[test]
fn numbers_are_those_of_javascript() {
    // RFC 8785, appendix B.
    for (bits, text) in [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
    ] {
        assert_eq!(to_string(&f64::from_bits(bits)).unwrap(), text);
    }
    assert_eq!(to_string(&MAX_EXACT).unwrap(), "9007199254740992");
    assert_eq!(to_string(&u64::MAX).unwrap(), "18446744073709552000");
    assert_eq!(to_string(&i64::MIN).unwrap(), "-9223372036854776000");
}

#[test]
fn every_shape_of_a_type_is_written_as_serde_json_does() {
    let shapes = Shapes {
        zeta: vec![
            Shape::Unit,
            Shape::Newtype(1),
            Shape::Tuple(2, 0.5),
            Shape::Struct { z: None, a: '"' },
        ],
        alpha: (-1, 1, 0.25),
        empty: [],
    };
    let expected = concat!(
        r#"{"alpha":[-1,1,0.25],"empty":[],"zeta":["unit",{"newtype":1},{"tuple":[2,0.5]},"#,
        r#"{"struct":{"a":"\"","z":null}}]}"#
    );
    assert_eq!(to_string(&shapes).unwrap(), expected);
}

/// An object with the keys that it is given, as they come.
struct Keys(&'static [&'static str]);

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|key| (key, 0)))
    }
}

#[test]
fn what_readers_take_for_different_things_is_refused() {
    fn refusal(value: &impl Serialize) -> String {
        to_vec(value).unwrap_err().to_string()
    }
    assert_eq!(refusal(&f64::NAN), "NaN is no number in JSON");
    assert_eq!(refusal(&[f32::INFINITY]), "inf is no number in JSON");
    assert_eq!(refusal(&BTreeMap::from([(1, 2)])), "a key is no string");
    assert_eq!(refusal(&Keys(&["a", "a"])), "the key \"a\" stands twice");
    assert_eq!(refusal(&Keys(&["\u{e9}", "b", "\u{e9}"])), "the key \"\u{e9}\" stands twice");
}

/// A value whose members come in any order.
#[derive(Clone, Debug)]
enum Tree {
    Leaf(Value),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Leaf(value) => value.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(members) => serializer.collect_map(members.iter().map(|(k, v)| (k, v))),
        }
    }
}

fn values() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_map(Tree::Leaf).prop_recursive(5, 60, 8, |inner| {
        // Short keys, so that their order hangs on every kind of character.
        let key = proptest::collection::vec(any::<char>(), 0..3).prop_map(String::from_iter);
        let plain = "[a-c\"\\\\]{0,2}";
        // A hash map keeps them apart and in no order.
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Tree::List),
            proptest::collection::hash_map(key, inner.clone(), 0..6)
                .prop_map(|members| Tree::Object(members.into_iter().collect())),
            proptest::collection::hash_map(plain, inner, 0..6)
                .prop_map(|members| Tree::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_is_written_as_another_implementation_writes_it(value in values()) {
        let expected = serde_json_canonicalizer::to_string(&value).unwrap();
        prop_assert_eq!(to_string(&value).unwrap(), expected);
    }
}
