//! Resolves addresses in a document, independently of the crate.
//!
//! An address is a list of steps, the first of which is the id of an operation, or `document`:
//!
//! | step | goes to |
//! |---|---|
//! | `item` | the path item of the operation |
//! | `?name` | the parameter of that name |
//! | `body` | the request body |
//! | `200`, `2xx`, `default` | the response of that status; `2xx` is the success |
//! | `content` | the body of its first media type, by that media type |
//! | `#Name` | the response header of that name |
//! | `schema` | the schema of a parameter or header |
//! | `.name` | the property of that name, of the body or of a schema |
//! | `[]` | the items of a list |
//! | `@` | the schema that a property or body refers to, in place of the mention of it |
//! | `security`, `security/1` | the requirements that hold for the operation, or one of them |
//! | `scheme/1` | the scheme of that requirement |
//! | `servers`, `server` | the servers of the document, or the first one |

use serde_json::Value;

/// The pointers of a node.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where the node is defined.
    pub pointer: String,
    /// The `$ref` to the node, if there is one.
    pub mention: Option<String>,
    /// Where else the schema speaks of the same property: other parts of an `allOf`.
    pub echoes: Vec<String>,
}

impl Place {
    pub fn at(pointer: String) -> Self {
        Self {
            pointer,
            mention: None,
            echoes: Vec::new(),
        }
    }
}

/// The methods that a path item can have.
pub const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// One token of a JSON pointer, escaped.
pub fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A JSON pointer split into that of the holder and the last token, unescaped.
pub fn split(pointer: &str) -> (&str, String) {
    let (holder, last) = pointer.rsplit_once('/').unwrap_or_default();
    (holder, last.replace("~1", "/").replace("~0", "~"))
}

/// The place that `address` means, if the document has it.
pub fn find(document: &Value, address: &str) -> Option<Place> {
    let navigator = Navigator(document);
    let mut steps = address.split_whitespace();
    let operation = match steps.next()? {
        "document" => String::new(),
        id => navigator.operation(id)?,
    };
    let mut place = Place::at(operation.clone());
    for step in steps {
        place = navigator.step(&operation, &place.pointer, step)?;
    }
    Some(place)
}

struct Navigator<'a>(&'a Value);

impl Navigator<'_> {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer)
    }

    fn operation(&self, id: &str) -> Option<String> {
        let paths = self.at("/paths")?.as_object()?;
        paths.iter().find_map(|(path, item)| {
            let method = METHODS
                .iter()
                .find(|method| item[**method]["operationId"] == id)?;
            Some(format!("/paths/{}/{method}", token(path)))
        })
    }

    fn step(&self, operation: &str, from: &str, step: &str) -> Option<Place> {
        let plain = |pointer: String| {
            self.at(&pointer)?;
            Some(Place::at(pointer))
        };
        if let Some(name) = step.strip_prefix('?') {
            return self.parameter(operation, name);
        }
        if let Some(name) = step.strip_prefix('#') {
            return self.follow(format!("{from}/headers/{}", token(name)));
        }
        if let Some(name) = step.strip_prefix('.') {
            let mut spoken = self.spoken_of(&self.body_schema(from), name);
            let first = (!spoken.is_empty()).then(|| spoken.remove(0))?;
            return Some(Place {
                echoes: spoken,
                ..Place::at(first)
            });
        }
        if let Some(index) = step.strip_prefix("security/") {
            return plain(format!("{}/{index}", self.security(operation)));
        }
        if let Some(index) = step.strip_prefix("scheme/") {
            let requirement = self.at(&format!("{}/{index}", self.security(operation)))?;
            let name = requirement.as_object()?.keys().next()?;
            return plain(format!("/components/securitySchemes/{}", token(name)));
        }
        match step {
            "item" => plain(split(operation).0.to_owned()),
            "body" => self.follow(format!("{operation}/requestBody")),
            "schema" => self.follow(format!("{from}/schema")),
            "content" => plain(self.first_content(from)?),
            "[]" => plain(self.items(&self.body_schema(from))?),
            "@" => self.definition(&self.body_schema(from)),
            "security" => plain(self.security(operation)),
            "servers" => plain("/servers".to_owned()),
            "server" => plain("/servers/0".to_owned()),
            "2xx" => {
                let responses = self.at(&format!("{operation}/responses"))?.as_object()?;
                let status = responses.keys().find(|status| status.starts_with('2'))?;
                self.follow(format!("{operation}/responses/{status}"))
            }
            status => self.follow(format!("{operation}/responses/{status}")),
        }
    }

    /// The end of a chain of references that starts at `pointer`.
    fn follow(&self, pointer: String) -> Option<Place> {
        let mut end = pointer.clone();
        while let Some(reference) = self.at(&end)?.get("$ref") {
            end = reference.as_str()?.strip_prefix('#')?.to_owned();
        }
        let mention = (end != pointer).then_some(pointer);
        Some(Place {
            mention,
            ..Place::at(end)
        })
    }

    fn parameter(&self, operation: &str, name: &str) -> Option<Place> {
        let item = split(operation).0;
        [operation, item].iter().find_map(|holder| {
            let list = format!("{holder}/parameters");
            let count = self.at(&list)?.as_array()?.len();
            (0..count)
                .filter_map(|index| self.follow(format!("{list}/{index}")))
                .find(|place| self.0.pointer(&place.pointer).unwrap()["name"] == name)
        })
    }

    fn first_content(&self, body: &str) -> Option<String> {
        let content = self.at(&format!("{body}/content"))?.as_object()?;
        let media_type = content.keys().next()?;
        Some(format!("{body}/content/{}", token(media_type)))
    }

    /// The schema of a body; a schema is its own.
    fn body_schema(&self, pointer: &str) -> String {
        match self.first_content(pointer) {
            Some(content) => format!("{content}/schema"),
            None => pointer.to_owned(),
        }
    }

    /// The schemas that together make up the one at `pointer`, the nearest first.
    fn parts(&self, pointer: &str) -> Vec<String> {
        let Some(place) = self.follow(pointer.to_owned()) else {
            return Vec::new();
        };
        let mut parts = vec![place.pointer.clone()];
        let list = format!("{}/allOf", place.pointer);
        let count = self.at(&list).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..count {
            parts.extend(self.parts(&format!("{list}/{index}")));
        }
        parts
    }

    fn part_with(&self, schema: &str, has: impl Fn(&Value) -> bool) -> Option<String> {
        let parts = self.parts(schema);
        parts
            .into_iter()
            .find(|part| self.at(part).is_some_and(&has))
    }

    /// Every part that has the property, the one that defines it first.
    fn spoken_of(&self, schema: &str, name: &str) -> Vec<String> {
        let has = |part: &String| self.at(part).unwrap()["properties"].get(name).is_some();
        let parts = self.parts(schema).into_iter().filter(has);
        let place = |part| format!("{part}/properties/{}", token(name));
        parts.map(place).collect()
    }

    fn items(&self, schema: &str) -> Option<String> {
        let part = self.part_with(schema, |part| part.get("items").is_some())?;
        Some(format!("{part}/items"))
    }

    /// The part that says what type the schema has, or what properties.
    fn definition(&self, schema: &str) -> Option<Place> {
        let says = |part: &Value| part.get("type").is_some() || part.get("properties").is_some();
        let pointer = self.part_with(schema, says)?;
        let mention = (pointer != schema).then(|| schema.to_owned());
        Some(Place {
            mention,
            ..Place::at(pointer)
        })
    }

    fn security(&self, operation: &str) -> String {
        let own = format!("{operation}/security");
        match self.at(&own) {
            Some(_) => own,
            None => "/security".to_owned(),
        }
    }
}

/// The property `name` of the schema or body at `pointer`.
pub fn property(document: &Value, pointer: &str, name: &str) -> Option<String> {
    let navigator = Navigator(document);
    let spoken = navigator.spoken_of(&navigator.body_schema(pointer), name);
    spoken.into_iter().next()
}

/// The part of the schema at `pointer` whose `required` list names the property, or has such a list.
pub fn required_list(document: &Value, pointer: &str, name: Option<&str>) -> Option<String> {
    let navigator = Navigator(document);
    let schema = navigator.body_schema(pointer);
    navigator.part_with(&schema, |part| {
        let list = part["required"].as_array();
        list.is_some_and(|list| name.is_none_or(|name| list.iter().any(|each| each == name)))
    })
}
