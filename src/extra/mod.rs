//! The properties of a response that have no field.

use std::{
    borrow::Cow,
    fmt, io, mem,
    ops::Deref,
    sync::{Arc, LazyLock, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Number, Value, map};

#[cfg(feature = "transport")]
use crate::decode::ListText;

/// Properties that have no field of their own, as the server sent them.
///
/// Dereferences to a [`Map`]. The properties of a response stay JSON text until the first access, so that a list of
/// many invitations does not cost a map for each; until then, the invitations of a page of up to 256 KiB share the text
/// of the page. For changes beyond [`insert`](Self::insert), convert into a [`Map`] and back.
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
pub struct Extra(Option<Box<LazyMap>>);

#[derive(Clone)]
struct LazyMap {
    source: Source,
    /// The properties of the object that have fields of their own.
    fields: &'static [&'static str],
    /// The map, after the first access or if the value was made from one.
    map: OnceLock<Map<String, Value>>,
}

/// The JSON of an object.
#[derive(Clone)]
enum Source {
    /// The text of an object; empty if the value was made from a map.
    Text(Box<str>),
    /// The text of an item of a list, by its index.
    #[cfg(feature = "transport")]
    Item(Arc<ListText>, usize),
}

impl Source {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            #[cfg(feature = "transport")]
            Self::Item(list, index) => list.item(*index),
        }
    }
}

impl LazyMap {
    /// Parses the map. The text was decoded before, so parsing does not fail.
    fn parse(&self) -> Map<String, Value> {
        let text = self.source.text();
        let mut map: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        for field in self.fields {
            map.remove(*field);
        }
        map
    }
}

impl Extra {
    /// Whether there are no properties. Does not parse the text.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Sets a property; returns its previous value.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        let mut map = Map::from(mem::take(self));
        let previous = map.insert(name.into(), value);
        *self = map.into();
        previous
    }

    /// Deserialises a property, for example as a type of the [bindings](crate::bindings); `None` if it is absent.
    ///
    /// # Errors
    ///
    /// The value is not of that type.
    ///
    /// ```
    /// # use serde_json::json;
    /// let extra = org_invitations::Extra::from_iter([("tries", json!([1, 2]))]);
    /// assert_eq!(extra.get_as::<Vec<u8>>("tries").transpose()?, Some(vec![1, 2]));
    /// assert!(extra.get_as::<String>("tries").is_some_and(|read| read.is_err()));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn get_as<T: DeserializeOwned>(&self, name: &str) -> Option<serde_json::Result<T>> {
        self.as_map().get(name).map(T::deserialize)
    }

    /// The properties of a JSON object except `fields`. There is at least one.
    pub(crate) fn from_text(text: &str, fields: &'static [&'static str]) -> Self {
        Self::from_source(Source::Text(text.into()), fields)
    }

    /// The properties of an item of a list except `fields`. There is at least one.
    #[cfg(feature = "transport")]
    pub(crate) fn from_item(
        list: Arc<ListText>,
        index: usize,
        fields: &'static [&'static str],
    ) -> Self {
        Self::from_source(Source::Item(list, index), fields)
    }

    fn from_source(source: Source, fields: &'static [&'static str]) -> Self {
        Self(Some(Box::new(LazyMap {
            source,
            fields,
            map: OnceLock::new(),
        })))
    }

    /// The properties left in an object of the bindings after its fields were taken, and the unknown properties.
    pub(crate) fn from_rest(rest: &impl Serialize, unknown: Map<String, Value>) -> Self {
        if is_empty_object(rest) {
            return unknown.into();
        }
        let mut map = match serde_json::to_value(rest) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        map.values_mut().for_each(restore_integers);
        map.extend(unknown);
        map.into()
    }

    /// The map, parsed for this call only if it was not parsed before.
    fn as_map(&self) -> Cow<'_, Map<String, Value>> {
        match &self.0 {
            Some(lazy) if lazy.map.get().is_none() => Cow::Owned(lazy.parse()),
            _ => Cow::Borrowed(self),
        }
    }
}

/// Whether a value serialises as `{}`.
pub(crate) fn is_empty_object(value: &impl Serialize) -> bool {
    /// Fails after a number of bytes.
    struct ByteLimit(usize);

    impl io::Write for ByteLimit {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0.checked_sub(bytes.len()) {
                Some(left) => {
                    self.0 = left;
                    Ok(bytes.len())
                }
                // An error without a message allocates nothing.
                None => Err(io::ErrorKind::StorageFull.into()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    serde_json::to_writer(ByteLimit(2), value).is_ok()
}

/// Converts whole floats into integers: the bindings decode the type `number` as a float.
fn restore_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| {
                number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0
            });
            if let Some(whole) = whole {
                *number = Number::from(whole as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(restore_integers),
        Value::Object(map) => map.values_mut().for_each(restore_integers),
        _ => {}
    }
}

/// Parses the map at the first access, and keeps it.
impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        match &self.0 {
            Some(lazy) => lazy.map.get_or_init(|| lazy.parse()),
            None => &NONE,
        }
    }
}

impl From<Map<String, Value>> for Extra {
    fn from(map: Map<String, Value>) -> Self {
        if map.is_empty() {
            return Self::default();
        }
        Self(Some(Box::new(LazyMap {
            source: Source::Text(Box::default()),
            fields: &[],
            map: map.into(),
        })))
    }
}

impl From<Extra> for Map<String, Value> {
    fn from(extra: Extra) -> Self {
        extra.0.map_or_else(Self::new, |mut lazy| {
            let parsed = lazy.map.take();
            parsed.unwrap_or_else(|| lazy.parse())
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
        self.as_map().fmt(f)
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.as_map() == other.as_map()
    }
}

impl Eq for Extra {}

/// Serialises as a map.
impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_map().serialize(serializer)
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
    use serde_json::json;

    const FIELDS: &[&str] = &["id", "email"];

    fn read(json: &str) -> Extra {
        Extra::from_text(json, FIELDS)
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
            Just("id".to_owned()),
            Just("one".to_owned()),
            "[ -~\n]{0,6}"
        ];
        proptest::collection::vec((name, value), 0..5).prop_map(Map::from_iter)
    }

    proptest! {
        #[test]
        fn it_stands_for_the_properties_without_fields(map in properties(any_json()), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&map) } else { serde_json::to_string(&map) };
            let extra = read(&text.unwrap());
            let mut rest = map;
            rest.retain(|name, _| !FIELDS.contains(&name.as_str()));
            prop_assert_eq!(serde_json::to_value(&extra).unwrap(), Value::Object(rest.clone()));
            prop_assert_eq!(format!("{extra:?}"), format!("{rest:?}"));
            prop_assert_eq!(&extra, &Extra::from(rest.clone()));
            prop_assert_eq!(Map::from(extra), rest);
        }
    }

    #[test]
    fn what_is_left_of_an_object_is_what_was_sent() {
        #[derive(Serialize)]
        struct Rest {
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<f64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            share: Option<f64>,
        }
        let unknown = || Map::from_iter([("kind".to_owned(), json!(1.0))]);
        let none = || Rest {
            status: None,
            share: None,
        };
        assert!(Extra::from_rest(&none(), Map::new()).is_empty());
        let expected = Extra::from_iter([("kind", json!(1.0))]);
        assert_eq!(Extra::from_rest(&none(), unknown()), expected);
        let rest = Rest {
            status: Some(200.0),
            share: Some(0.5),
        };
        let expected = json!({ "status": 200, "share": 0.5, "kind": 1.0 });
        let extra = Extra::from_rest(&rest, unknown());
        assert_eq!(serde_json::to_value(extra).unwrap(), expected);
    }

    #[test]
    fn only_what_is_written_as_no_property_is_empty() {
        assert!(is_empty_object(&json!({})));
        for value in [json!({ "a": 1 }), json!([0]), json!("text"), json!(1.5)] {
            assert!(!is_empty_object(&value), "{value}");
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
        let extra = read(r#"{"a": 1, "id": "i-1"}"#);
        let parsed = || extra.0.as_ref().unwrap().map.get().is_some();
        assert_eq!(serde_json::to_string(&extra).unwrap(), r#"{"a":1}"#);
        assert_eq!(format!("{extra:?}"), r#"{"a": Number(1)}"#);
        assert!(!extra.is_empty() && extra == read(r#"{"a":1}"#) && !parsed());
        assert_eq!(extra["a"], 1);
        assert!(parsed());
    }
}
