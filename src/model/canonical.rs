//! Canonical JSON (RFC 8785): one text for one value, so that a digest of the text stands for the
//! value.
//!
//! Everything is written once, into one buffer. The members of an object are put in order when it
//! ends, and left where they stand if they came in order.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Whole numbers up to here are doubles as they are.
const MAX_EXACT: u64 = 1 << 53;

/// Why a value has no canonical text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotCanonical(String);

impl serde::ser::Error for NotCanonical {
    fn custom<T: Display>(reason: T) -> Self {
        Self(reason.to_string())
    }
}

/// The canonical text of a value.
///
/// Numbers are those of JavaScript, IEEE 754 doubles; whole numbers beyond 2^53 are rounded to one.
///
/// # Errors
/// A number that JSON does not have, a key that is no string, and a key that an object has twice:
/// readers differ in what they take such a text for.
pub(crate) fn to_string(value: &impl Serialize) -> Result<String, NotCanonical> {
    String::from_utf8(to_vec(value)?).map_err(NotCanonical::custom)
}

/// The same as bytes, which are UTF-8.
///
/// # Errors
/// See [`to_string`].
pub(crate) fn to_vec(value: &impl Serialize) -> Result<Vec<u8>, NotCanonical> {
    let mut writer = Writer::default();
    value.serialize(&mut writer)?;
    Ok(writer.text)
}

#[derive(Default)]
struct Writer {
    text: Vec<u8>,
    /// Members so far of the objects that have not ended, those of the innermost last.
    members: Vec<Member>,
    /// Where members are put in order.
    ordered: Vec<u8>,
}

/// Where a member of an object stands in the text: from its key's quote to the end of its value.
#[derive(Clone, Copy)]
struct Member {
    start: usize,
    colon: usize,
    end: usize,
}

impl Member {
    /// The key as it is written, without its quotes.
    fn key(self, text: &[u8]) -> &[u8] {
        text.get(self.start + 1..self.colon - 1).unwrap_or_default()
    }
}

/// Whether a key's bytes are ordered as the UTF-16 code units of what it stands for.
fn is_plain(key: &[u8]) -> bool {
    key.is_ascii() && !key.contains(&b'\\')
}

fn code_units(key: &[u8]) -> Result<Vec<u16>, NotCanonical> {
    let key: String =
        serde_json::from_slice(&[b"\"", key, b"\""].concat()).map_err(NotCanonical::custom)?;
    Ok(key.encode_utf16().collect())
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    /// What JSON writes in one way only.
    fn plainly<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        serde_json::to_writer(&mut self.text, value).map_err(NotCanonical::custom)
    }

    /// A key and its colon.
    fn key(&mut self, key: &(impl Serialize + ?Sized), first: bool) -> Result<(), NotCanonical> {
        if !first {
            self.push(",");
        }
        let start = self.text.len();
        key.serialize(&mut *self)?;
        if self.text.get(start) != Some(&b'"') {
            return Err(NotCanonical::custom("a key is no string"));
        }
        let colon = self.text.len();
        self.push(":");
        self.members.push(Member { start, colon, end: colon });
        Ok(())
    }

    fn open(&mut self) -> Members<'_> {
        self.push("{");
        let first = self.members.len();
        Members { writer: self, first, close: "}" }
    }

    /// Puts the members from `first` on in order, which are those of the object that ends.
    fn order(&mut self, first: usize) -> Result<(), NotCanonical> {
        let Self { text, members, ordered } = self;
        let own = members.get_mut(first..).unwrap_or_default();
        let Some(start) = own.first().map(|member| member.start) else { return Ok(()) };
        if own.is_sorted_by(|one, next| {
            let (one, next) = (one.key(text), next.key(text));
            is_plain(one) && is_plain(next) && one < next
        }) {
            members.truncate(first);
            return Ok(());
        }
        if own.iter().all(|member| is_plain(member.key(text))) {
            own.sort_by(|one, other| one.key(text).cmp(other.key(text)));
        } else {
            let mut keyed = own
                .iter()
                .map(|member| Ok((code_units(member.key(text))?, *member)))
                .collect::<Result<Vec<_>, NotCanonical>>()?;
            keyed.sort_by(|(one, _), (other, _)| one.cmp(other));
            own.iter_mut().zip(keyed).for_each(|(member, (_, sorted))| *member = sorted);
        }
        ordered.clear();
        let mut before = None;
        for member in own {
            let key = member.key(text);
            if before == Some(key) {
                let key = String::from_utf8_lossy(key);
                return Err(NotCanonical::custom(format_args!("the key \"{key}\" stands twice")));
            }
            if before.is_some() {
                ordered.push(b',');
            }
            before = Some(key);
            ordered.extend_from_slice(text.get(member.start..member.end).unwrap_or_default());
        }
        text.truncate(start);
        text.extend_from_slice(ordered);
        members.truncate(first);
        Ok(())
    }
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = NotCanonical;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    fn serialize_i8(self, value: i8) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    fn serialize_i16(self, value: i16) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    fn serialize_i32(self, value: i32) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    fn serialize_i64(self, value: i64) -> Result<(), NotCanonical> {
        if value.unsigned_abs() <= MAX_EXACT {
            self.plainly(&value)
        } else {
            self.serialize_f64(value as f64)
        }
    }

    fn serialize_u8(self, value: u8) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    fn serialize_u16(self, value: u16) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    fn serialize_u32(self, value: u32) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    #[expect(clippy::cast_precision_loss, reason = "the nearest double is what is asked for")]
    fn serialize_u64(self, value: u64) -> Result<(), NotCanonical> {
        if value <= MAX_EXACT { self.plainly(&value) } else { self.serialize_f64(value as f64) }
    }

    fn serialize_f32(self, value: f32) -> Result<(), NotCanonical> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), NotCanonical> {
        if !value.is_finite() {
            return Err(NotCanonical::custom(format_args!("{value} is no number in JSON")));
        }
        self.push(ryu_js::Buffer::new().format_finite(value));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NotCanonical> {
        self.plainly(&value)
    }

    fn serialize_str(self, value: &str) -> Result<(), NotCanonical> {
        self.plainly(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), NotCanonical> {
        self.plainly(value)
    }

    fn serialize_none(self) -> Result<(), NotCanonical> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotCanonical> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NotCanonical> {
        self.push("null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), NotCanonical> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), NotCanonical> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotCanonical> {
        let mut members = self.open();
        members.serialize_entry(variant, value)?;
        members.close()
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Elements<'a>, NotCanonical> {
        self.push("[");
        Ok(Elements { writer: self, any: false, close: "]" })
    }

    fn serialize_tuple(self, length: usize) -> Result<Elements<'a>, NotCanonical> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Elements<'a>, NotCanonical> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Elements<'a>, NotCanonical> {
        self.push("{");
        self.plainly(variant)?;
        self.push(":");
        Ok(Elements { close: "]}", ..self.serialize_seq(Some(length))? })
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Members<'a>, NotCanonical> {
        Ok(self.open())
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _length: usize,
    ) -> Result<Members<'a>, NotCanonical> {
        Ok(self.open())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Members<'a>, NotCanonical> {
        self.push("{");
        self.plainly(variant)?;
        self.push(":");
        Ok(Members { close: "}}", ..self.open() })
    }
}

/// An array that has not ended.
struct Elements<'a> {
    writer: &'a mut Writer,
    any: bool,
    close: &'static str,
}

impl Elements<'_> {
    fn element(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), NotCanonical> {
        if std::mem::replace(&mut self.any, true) {
            self.writer.push(",");
        }
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        self.writer.push(self.close);
    }
}

/// An object that has not ended.
struct Members<'a> {
    writer: &'a mut Writer,
    /// Which of the writer's members is its first.
    first: usize,
    close: &'static str,
}

impl Members<'_> {
    fn close(self) -> Result<(), NotCanonical> {
        self.writer.order(self.first)?;
        self.writer.push(self.close);
        Ok(())
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = NotCanonical;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotCanonical> {
        let is_first = self.writer.members.len() == self.first;
        self.writer.key(key, is_first)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
        value.serialize(&mut *self.writer)?;
        let end = self.writer.text.len();
        // Members of what the value holds are gone by now.
        if let Some(member) = self.writer.members.last_mut() {
            member.end = end;
        }
        Ok(())
    }

    fn end(self) -> Result<(), NotCanonical> {
        self.close()
    }
}

/// Serde has a trait for each shape of Rust's types; JSON has two.
macro_rules! arrays {
    ($($shape:ident $method:ident),*) => {$(
        impl $shape for Elements<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotCanonical> {
                self.element(value)
            }

            fn end(self) -> Result<(), NotCanonical> {
                self.close();
                Ok(())
            }
        }
    )*};
}

macro_rules! objects {
    ($($shape:ident),*) => {$(
        impl $shape for Members<'_> {
            type Ok = ();
            type Error = NotCanonical;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), NotCanonical> {
                self.serialize_entry(key, value)
            }

            fn end(self) -> Result<(), NotCanonical> {
                self.close()
            }
        }
    )*};
}

arrays! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}
objects! { SerializeStruct, SerializeStructVariant }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 8, |inner| {
            // Short keys, so that their order hangs on every kind of character.
            let key = proptest::collection::vec(any::<char>(), 0..3).prop_map(String::from_iter);
            let plain = "[a-c\"\\\\]{0,2}";
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::hash_map(key, inner.clone(), 0..6)
                    .prop_map(|members| members.into_iter().collect()),
                proptest::collection::hash_map(plain, inner, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
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
}
