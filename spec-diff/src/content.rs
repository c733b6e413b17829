//! Compares bodies by media type.

use org_invitations_codegen::{
    Direction,
    api::{Field, Object},
    escape,
};
use serde_json::{Map, Value, json};

use crate::{Class, Located, changes::Changes, paging::RESPONSE, schema::SchemaDiff};

impl Changes<'_> {
    /// Compares the bodies of a request or response. `needed` is the media type that the library uses, and `object` or
    /// `bare` is the part of the body that it uses.
    pub(super) fn contents(
        &mut self,
        (old_at, old): Located,
        (new_at, new): Located,
        needed: &str,
        direction: Direction,
        object: Option<&Object>,
        bare: Option<&Field>,
    ) {
        let none = Map::new();
        let before = old["content"].as_object().unwrap_or(&none);
        let after = new["content"].as_object().unwrap_or(&none);
        let pointer = |at: &str, media_type: &str| format!("{at}/content/{}", escape(media_type));
        for (media_type, content) in before {
            let at = pointer(old_at, media_type);
            let Some(other) = after.get(media_type) else {
                let class = Class::breaking_if(media_type == needed, Class::Cosmetic);
                let message = format!("the body of {media_type} was removed");
                self.record(
                    class,
                    (&at, json!(media_type)),
                    (new_at, Value::Null),
                    message,
                );
                continue;
            };
            let label = match direction {
                Direction::Request => "the request",
                Direction::Response => RESPONSE,
            };
            let (old_at, new_at) = (
                format!("{at}/schema"),
                format!("{}/schema", pointer(new_at, media_type)),
            );
            let (old, new) = ((&*old_at, &content["schema"]), (&*new_at, &other["schema"]));
            let mut schemas = SchemaDiff::new(self, direction);
            match bare {
                Some(field) if field.is_bare(old.1) && field.is_bare(new.1) => {
                    schemas.schema(old, new, label, Some(&field.kind), field.need);
                }
                _ => schemas.body(old, new, label, object),
            }
        }
        for media_type in after.keys().filter(|name| !before.contains_key(*name)) {
            let message = format!("a body of {media_type} was added");
            let at = pointer(new_at, media_type);
            let after = (&*at, json!(media_type));
            self.record(Class::Additive, (old_at, Value::Null), after, message);
        }
    }
}
