//! What a server said that has no field.

mod find;
mod reader;

use std::{
    collections::BTreeMap,
    fmt, mem,
    ops::Deref,
    sync::{LazyLock, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json, value::RawValue};

use self::find::find;

pub(crate) use self::reader::{Key, Rest};

/// Properties that have no field of their own, as the server sent them.
///
/// Reads as the map that it stands for. It is kept as JSON text, and the map is made when somebody looks:
/// a list of many invitations costs no map for each. What JSON can say and a [`Value`] cannot, such as
/// `1e999`, is a string in the map.
///
/// ```
/// use org_invitations::Extra;
/// use serde_json::json;
///
/// let extra: Extra = serde_json::from_str(r#"{"kind": "Invitation", "since": {"days": 7}}"#)?;
/// assert_eq!(extra["since"]["days"], 7);
/// assert_eq!(extra.get("until"), None);
/// assert_eq!(extra, Extra::from_iter([("kind", json!("Invitation")), ("since", json!({ "days": 7 }))]));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Extra(Option<Box<Kept>>);

#[derive(Clone)]
struct Kept {
    /// The JSON of an object.
    text: Box<str>,
    /// What the text says, since somebody looked.
    map: OnceLock<Map<String, Value>>,
}

impl Kept {
    fn parsed(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).unwrap_or_else(|_| self.each_alone())
    }

    /// The map, with what is JSON but no [`Value`] as text.
    fn each_alone(&self) -> Map<String, Value> {
        let all: BTreeMap<String, &RawValue> = serde_json::from_str(&self.text).unwrap_or_default();
        let value = |json: &str| serde_json::from_str(json).unwrap_or_else(|_| json.into());
        let each = all.into_iter();
        each.map(|(name, json)| (name, value(json.get()))).collect()
    }
}

impl Extra {
    /// Whether there are none, without a look at them.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets one property. Writes all of them anew: to set many, make it from a map.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        let mut map = Map::from(mem::take(self));
        map.insert(name.into(), value);
        *self = map.into();
    }

    /// The JSON of an object that has them, each value as the server wrote it.
    pub fn as_json(&self) -> &str {
        self.0.as_ref().map_or("{}", |kept| &kept.text)
    }

    /// Of properties that are JSON.
    pub(crate) fn from_json(properties: BTreeMap<String, &RawValue>) -> Self {
        let mut rest = Rest::default();
        for (name, json) in properties {
            rest.push(&name, json.get());
        }
        rest.into()
    }

    /// The property at the end of this path of names; `None` if there is none, or an odd one.
    pub(crate) fn find<'a, T: Deserialize<'a>>(&'a self, path: &[&str]) -> Option<T> {
        let text: &str = &self.0.as_ref()?.text;
        let value = path
            .iter()
            .try_fold(text, |object, name| find(object, name))?;
        // What follows the value is not read.
        T::deserialize(&mut serde_json::Deserializer::from_str(value)).ok()
    }

    /// `json` is that of an object which is not empty, and `map` says the same.
    fn kept(json: String, map: OnceLock<Map<String, Value>>) -> Self {
        let text = json.into_boxed_str();
        Self(Some(Box::new(Kept { text, map })))
    }
}

/// The first look makes the map.
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
        // Reading a number again may change its last digit, so the map itself is kept.
        let json = json!(map).to_string();
        Self::kept(json, map.into())
    }
}

impl From<Extra> for Map<String, Value> {
    fn from(extra: Extra) -> Self {
        extra.0.map_or_else(Self::new, |mut kept| {
            let looked_at = kept.map.take();
            looked_at.unwrap_or_else(|| kept.parsed())
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

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Extra {}

/// As a map. None is kept, so that writing a long list does not make it longer.
impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(kept) if kept.map.get().is_none() => kept.parsed().serialize(serializer),
            _ => (**self).serialize(serializer),
        }
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

    /// As an object is read that has no fields.
    struct Object(Extra);

    impl<'de> Deserialize<'de> for Object {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Reader;

            impl<'de> serde::de::Visitor<'de> for Reader {
                type Value = Object;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Object, A::Error> {
                    let mut rest = Rest::default();
                    while let Some(name) = map.next_key::<Key<'de>>()? {
                        rest.read(&name, &mut map)?;
                    }
                    Ok(Object(rest.into()))
                }
            }

            deserializer.deserialize_map(Reader)
        }
    }

    fn read(json: &str) -> Extra {
        serde_json::from_str::<Object>(json).unwrap().0
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
            prop_assert_eq!(Map::from(read(extra.as_json())), map.clone());
            prop_assert_eq!(Map::from(extra), map);
        }

        #[test]
        fn a_property_is_found_where_the_map_has_it(map in properties(any_json()), pretty: bool) {
            let json = if pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) };
            let extra = read(&json.unwrap());
            for path in [&["one"][..], &["two", "one"], &["two", "two", "one"]] {
                let wanted = map.get(path[0]);
                let wanted = path[1..].iter().try_fold(wanted, |value, name| Some(value?.get(name)));
                prop_assert_eq!(extra.find::<Value>(path), wanted.flatten().cloned(), "{:?}", path);
            }
        }
    }

    #[test]
    fn a_name_is_found_however_it_is_written() {
        let extra = read(r#"{"a": [{"b": 1}, "b"], "\u0062" : {"x\"": "}", "c": 2 } , "d": 3}"#);
        assert_eq!(extra.find(&["b", "c"]), Some(2));
        assert_eq!(extra.find(&["d"]), Some(3));
        assert_eq!(extra.find(&["b", "x\""]), Some("}".to_owned()));
        assert_eq!(extra.find::<Value>(&["a", "b"]), None);
        assert_eq!(extra.find::<String>(&["d"]), None);
    }

    #[test]
    fn what_no_value_can_hold_is_text_and_hides_nothing() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let odd = format!(r#"{{"big": 1e999, "half": "\ud800", "deep": {deep}, "good": [1]}}"#);
        let extra = read(&odd);
        assert_eq!(extra["big"], "1e999");
        assert_eq!(extra["half"], r#""\ud800""#);
        assert_eq!(extra["deep"], deep);
        assert_eq!(extra["good"], json!([1]));
        assert_eq!(extra.as_json().len(), odd.len() - 7);
    }

    #[test]
    fn properties_are_set_one_by_one() {
        let mut extra = Extra::default();
        assert_eq!((extra.as_json(), extra.len()), ("{}", 0));
        extra.insert("one", json!(1));
        extra.insert("two", json!({ "a": [] }));
        extra.insert("one", json!(3));
        assert_eq!(
            extra,
            Extra::from_iter([("two", json!({ "a": [] })), ("one", json!(3))])
        );
    }

    #[test]
    fn writing_it_makes_no_map_that_stays() {
        let extra = read(r#"{"a": 1}"#);
        assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"a":1}"#);
        assert!(extra.0.as_ref().unwrap().map.get().is_none());
        assert_eq!(extra["a"], 1);
        assert!(extra.0.as_ref().unwrap().map.get().is_some());
    }
}
