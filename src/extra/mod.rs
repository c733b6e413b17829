//! What a server said that has no field.

mod reader;

use std::{
    fmt, mem,
    ops::Deref,
    sync::{LazyLock, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub(crate) use self::reader::{Key, Rest};

/// Properties that have no field of their own, as the server sent them.
///
/// Reads as the map that it stands for. It is kept as JSON text until somebody looks: a list of many
/// invitations costs no map for each.
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
    /// Makes the map. The text was written from values, so it can be read.
    fn parsed(&self) -> Map<String, Value> {
        serde_json::from_str(&self.text).unwrap_or_default()
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

    /// What a type has fields for; `None` where one of them is odd. Makes no map.
    pub(crate) fn part<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(&self.0.as_ref()?.text).ok()
    }

    /// `text` is the JSON of an object.
    fn from_text(text: String) -> Self {
        Self(Some(Box::new(Kept {
            text: text.into_boxed_str(),
            map: OnceLock::new(),
        })))
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
        Self::from_text(Value::Object(map).to_string())
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
        reader::read(deserializer)
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
