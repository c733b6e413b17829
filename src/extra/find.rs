//! Finds one property in the text of an object, without reading the others.

use std::borrow::Cow;

use memchr::memchr2;

/// The text from the value of this property on. `object` begins with an object in valid JSON.
///
/// Of several properties of one name it is the first.
pub(super) fn find<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let text = object.as_bytes();
    // After the brace, and later after each comma.
    let mut place = 1;
    loop {
        let key = space(text, place);
        let end = string(text, key)?;
        let value = space(text, space(text, end) + 1);
        if is(&object[key..end], name) {
            return object.get(value..);
        }
        place = space(text, skip(text, value)?) + 1;
    }
}

/// Whether this is the JSON of the name.
fn is(key: &str, name: &str) -> bool {
    key[1..key.len() - 1] == *name
        || key.contains('\\')
            && serde_json::from_str::<Cow<'_, str>>(key).is_ok_and(|key| key == name)
}

/// The place after what space there is.
fn space(text: &[u8], mut place: usize) -> usize {
    while text.get(place).is_some_and(u8::is_ascii_whitespace) {
        place += 1;
    }
    place
}

/// The place after the string that begins here, if one does.
fn string(text: &[u8], mut place: usize) -> Option<usize> {
    if *text.get(place)? != b'"' {
        return None;
    }
    place += 1;
    loop {
        place += memchr2(b'"', b'\\', text.get(place..)?)?;
        if text[place] == b'"' {
            return Some(place + 1);
        }
        place += 2;
    }
}

/// The place after the value that begins here.
fn skip(text: &[u8], mut place: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.get(place)? {
            b'"' => place = string(text, place)?,
            b'{' | b'[' => (place, depth) = (place + 1, depth + 1),
            // Those of the object that the value is in end a number or a word.
            b',' | b'}' if depth == 0 => return Some(place),
            b'}' | b']' => (place, depth) = (place + 1, depth - 1),
            _ => {
                place += 1;
                continue;
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}
