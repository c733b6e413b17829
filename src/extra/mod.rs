//! What a server said that has no field.

mod reader;

use std::{
    borrow::Cow,
    fmt, mem,
    ops::Deref,
    sync::{LazyLock, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, map};

pub(crate) use self::reader::{Key, Rest};

/// Properties that have no field of their own, as the server sent them.
///
/// Reads as the map that it stands for. Where it was read from a server's answer, it is JSON text until
/// somebody looks: a list of many invitations costs no map for each. To change more than
/// [`insert`](Self::insert) does, make a [`Map`] from it, and it from the map.
///
/// ```
/// use org_invitations::Extra;
/// use serde_json::json;
///
/// let mut extra = Extra::from_iter([("since", json!({ "days": 7 }))]);
/// extra.insert("kind", json!("Invitation"));
/// assert_eq!(extra["since"]["days"], 7);
/// assert_eq!(extra.get("until"), None);
/// assert_eq!(serde_json::to_string(&extra)?, r#"{"kind":"Invitation","since":{"days":7}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Extra(Option<Box<Kept>>);

#[derive(Clone)]
struct Kept {
    /// The JSON of an object; nothing if the map was there first.
    text: Box<str>,
    /// The map, if it was there first or somebody looked.
    map: OnceLock<Map<String, Value>>,
}

impl Kept {
    /// Makes the map. The text was written from what was read, so it can be read again.
    fn parsed(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Extra {
    /// Whether there are none. Makes no map.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets one property; gives the value that it had.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        let mut map = Map::from(mem::take(self));
        let before = map.insert(name.into(), value);
        *self = map.into();
        before
    }

    /// The map, made for this one look if there is none.
    fn look(&self) -> Cow<'_, Map<String, Value>> {
        match &self.0 {
            Some(kept) if kept.map.get().is_none() => Cow::Owned(kept.parsed()),
            _ => Cow::Borrowed(self),
        }
    }

    fn kept(text: Box<str>, map: OnceLock<Map<String, Value>>) -> Self {
        Self(Some(Box::new(Kept { text, map })))
    }
}

/// The first look makes the map, and it stays.
impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        match &self.0 {
            Some(kept) => kept.map.get_or_init(|| kept.parsed()),
            None => &NONE,
        }
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(map: Map<String, Value>) -> Self {
        if map.is_empty() {
            return Self::default();
        }
        Self::kept(Box::default(), map.into())
    }
}

impl From<Extra> for Map<String, Value> {
    fn from(extra: Extra) -> Self {
        extra.0.map_or_else(Self::new, |mut kept| {
            let there = kept.map.take();
            there.unwrap_or_else(|| kept.parsed())
        })
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Extra {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(properties: I) -> Self {
        let properties = properties.into_iter();
        let map: Map<_, _> = properties.map(|(key, value)| (key.into(), value)).collect();
        map.into()
    }
}

impl<'a> IntoIterator for &'a Extra {
    type Item = (&'a String, &'a Value);
    type IntoIter = map::Iter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.look().fmt(f)
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.look() == other.look()
    }
}

impl Eq for Extra {}

/// As a map.
impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.look().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Extra {
    fn inline_schema() -> bool {
        Map::<String, Value>::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        Map::<String, Value>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Map::<String, Value>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::{MapAccess, Visitor};
    use serde_json::json;

    /// As a type is read that has no fields, and looks up `b` and `d` in `a`.
    struct LookedUp {
        found: [Option<Value>; 2],
        rest: Extra,
    }

    impl<'de> Deserialize<'de> for LookedUp {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Reader;

            impl<'de> Visitor<'de> for Reader {
                type Value = LookedUp;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LookedUp, A::Error> {
                    let (mut found, mut rest) = (Default::default(), Rest::default());
                    while let Some(name) = map.next_key::<Key<'de>>()? {
                        match &*name {
                            "a" => found = rest.look_up(&name, &mut map, ["b", "d"])?,
                            _ => rest.read(&name, &mut map)?,
                        }
                    }
                    let rest = rest.into();
                    Ok(LookedUp { found, rest })
                }
            }

            deserializer.deserialize_map(Reader)
        }
    }

    fn read(json: &str) -> Extra {
        serde_json::from_str::<LookedUp>(json).unwrap().rest
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
            "[ -~\u{e9}\n]{0,12}".prop_map(Value::from),
        ];
        scalar.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                properties(inner).prop_map(Value::Object),
            ]
        })
    }

    fn properties(
        value: impl Strategy<Value = Value>,
    ) -> impl Strategy<Value = Map<String, Value>> {
        let name = prop_oneof![
            Just("one".to_owned()),
            Just("two".to_owned()),
            "[ -~\n]{0,6}"
        ];
        proptest::collection::vec((name, value), 0..5).prop_map(Map::from_iter)
    }

    proptest! {
        #[test]
        fn it_stands_for_the_map_that_was_read(map in properties(any_json()), pretty: bool) {
            let json = if pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) };
            let extra = read(&json.unwrap());
            prop_assert_eq!(extra.is_empty(), map.is_empty());
            prop_assert_eq!(serde_json::to_value(&extra).unwrap(), Value::Object(map.clone()));
            prop_assert_eq!(format!("{extra:?}"), format!("{map:?}"));
            prop_assert_eq!(&extra, &Extra::from(map.clone()));
            let value = serde_json::from_value::<LookedUp>(Value::Object(map.clone())).unwrap();
            prop_assert_eq!(&value.rest, &extra);
            prop_assert_eq!(Map::from(extra), map);
        }
    }

    #[test]
    fn what_is_looked_up_is_found_and_kept() {
        let look_up = |json: &str| {
            let object: LookedUp = serde_json::from_str(json).unwrap();
            assert_eq!(object.rest, read(json));
            object.found
        };
        for (json, wanted) in [
            (
                r#"{"a": {"b": 1, "c": {"b": 2}, "d": "x"}}"#,
                [Some(json!(1)), Some(json!("x"))],
            ),
            (
                r#"{"z": {"b": 1}, "a": {"\u0062" : {"x\"": [null]}}}"#,
                [Some(json!({ "x\"": [null] })), None],
            ),
            (
                r#"{"a": {"b": 1}, "a": {"b": 2, "b": 3}}"#,
                [Some(json!(3)), None],
            ),
            (r#"{"a": ["b", 1, {"b": 1}]}"#, [None, None]),
            (r#"{"a": "b\":1"}"#, [None, None]),
            (r#"{"a": null, "b": 1}"#, [None, None]),
            ("{}", [None, None]),
        ] {
            assert_eq!(look_up(json), wanted, "{json}");
        }
    }

    #[test]
    fn properties_are_set_one_by_one() {
        let mut extra = read(r#"{"two": 2}"#);
        assert_eq!(extra.insert("one", json!(1)), None);
        assert_eq!(extra.insert("two", json!({ "a": [] })), Some(json!(2)));
        assert_eq!(
            extra,
            Extra::from_iter([("two", json!({ "a": [] })), ("one", json!(1))])
        );
        assert_eq!((&extra).into_iter().count(), 2);
    }

    #[test]
    fn only_a_look_by_hand_makes_a_map_that_stays() {
        let extra = read(r#"{"a": 1}"#);
        let made = || extra.0.as_ref().unwrap().map.get().is_some();
        assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"a":1}"#);
        assert_eq!(format!("{extra:?}"), r#"{"a": Number(1)}"#);
        assert!(!extra.is_empty() && extra == read(r#"{"a":1}"#) && !made());
        assert_eq!(extra["a"], 1);
        assert!(made());
    }
}
