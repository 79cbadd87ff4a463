//! Values of a request that no instance, path or name can have are refused before anything else looks at them.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::Deserializer;

use crate::error::{Error, ErrorKind, Result};

/// The longest path that Windows knows.
const LONGEST: usize = 32_767;
/// Made by this library, with statements of several lines; it is compared with its digest.
const PLAN: &str = "plan";

/// Refuses text values with control characters, and such as are longer than any path. A document that is malformed is left
/// to the one who reads it.
///
/// # Errors
/// `InvalidValue` (1002) with the member's name.
pub(super) fn refuse_odd_values(text: &[u8]) -> Result<()> {
    let found = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let _ = Values { member: "", found: &found }.deserialize(&mut reader);
    match found.into_inner() {
        None => Ok(()),
        Some(why) => Err(Error::new(ErrorKind::InvalidValue, why)
            .with_unchanged("Nothing was started.")
            .with_next("Correct the value; it may have been read from a file with line ends, or pasted.")),
    }
}

struct Values<'a> {
    member: &'a str,
    found: &'a RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> std::result::Result<(), E> {
        let odd = value.chars().find(|c| c.is_control());
        let length = value.chars().count();
        let why = match odd {
            Some(odd) => format!("`{}` holds the control character U+{:04X}.", self.member, u32::from(odd)),
            None if length > LONGEST => {
                format!("`{}` is {length} characters long; {LONGEST} are the most.", self.member)
            }
            None => return Ok(()),
        };
        *self.found.borrow_mut() = Some(why);
        Err(E::custom("an odd value"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(member) = map.next_key::<String>()? {
            if member == PLAN {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Values { member: &member, found: self.found })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        while items.next_element_seed(Values { member: self.member, found: self.found })?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(document: &str) -> Option<String> {
        refuse_odd_values(document.as_bytes()).err().map(|error| {
            assert_eq!(error.kind, ErrorKind::InvalidValue);
            error.message
        })
    }

    #[test]
    fn a_control_character_is_named_with_its_member() {
        assert_eq!(
            refused(r#"{"a": 1, "share": "\\\\fs2\\mir\u0000ror"}"#).as_deref(),
            Some("`share` holds the control character U+0000.")
        );
        assert_eq!(
            refused(r#"{"names": [null, true, -1, 1.5, "a\nb"]}"#).as_deref(),
            Some("`names` holds the control character U+000A.")
        );
        assert_eq!(refused(r#"{"target": {"database": "Größe ] ' 数"}}"#), None);
    }

    #[test]
    fn a_value_longer_than_any_path_is_told_without_itself() {
        let long = |length: usize| format!(r#"{{"pool_fqdn": "{}"}}"#, "x".repeat(length));
        assert_eq!(refused(&long(LONGEST)), None);
        assert_eq!(
            refused(&long(1 << 20)).as_deref(),
            Some("`pool_fqdn` is 1048576 characters long; 32767 are the most.")
        );
    }

    #[test]
    fn a_plan_and_a_malformed_document_are_left_to_their_readers() {
        assert_eq!(refused(r#"{"plan": {"statements": ["a\nb"]}}"#), None);
        assert_eq!(refused(r#"{"a": "#), None);
    }
}
