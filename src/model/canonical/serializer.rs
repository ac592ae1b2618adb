use serde::Serialize;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::{NotCanonical, Writer};

/// Whole numbers up to here are doubles as they are.
pub(super) const MAX_EXACT: u64 = 1 << 53;

impl Writer {
    fn open(&mut self) -> Members<'_> {
        self.push("{");
        let first = self.members.len();
        Members { writer: self, first, close: "}" }
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
pub(super) struct Elements<'a> {
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
pub(super) struct Members<'a> {
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
