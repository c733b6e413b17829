//! Lets the field `extra` of builders start empty.
//!
//! typify makes additional properties a required field of a builder. In these bindings they are properties that a
//! server added, and usually there are none.

use syn::{Expr, File, ImplItem, Item, ItemImpl, ItemMod, Member, Stmt, parse_quote};

/// Sets `extra` of every builder to an empty map, and returns the number of builders.
pub(super) fn start_empty(file: &mut File) -> usize {
    let module = ["client", "types", "builder"];
    let mut items = &mut file.items;
    for name in module {
        let inner = items.iter_mut().find_map(|item| match item {
            Item::Mod(ItemMod {
                ident,
                content: Some((_, inner)),
                ..
            }) if ident == name => Some(inner),
            _ => None,
        });
        match inner {
            Some(inner) => items = inner,
            None => return 0,
        }
    }
    items.iter_mut().filter_map(default_of).map(start).sum()
}

/// The body of `fn default`, if the item implements `Default`.
fn default_of(item: &mut Item) -> Option<&mut [Stmt]> {
    let Item::Impl(ItemImpl {
        trait_: Some((path, _)),
        items,
        ..
    }) = item
    else {
        return None;
    };
    if path.segments.last()?.ident != "Default" {
        return None;
    }
    items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(function) => Some(function.block.stmts.as_mut_slice()),
        _ => None,
    })
}

fn start(body: &mut [Stmt]) -> usize {
    let fields = body.iter_mut().filter_map(|statement| match statement {
        Stmt::Expr(Expr::Struct(value), _) => Some(value.fields.iter_mut()),
        _ => None,
    });
    let extra = fields.flatten().filter(|field| match &field.member {
        Member::Named(name) => name == "extra",
        Member::Unnamed(_) => false,
    });
    let mut count = 0;
    for field in extra {
        field.expr = parse_quote!(Ok(::std::default::Default::default()));
        count += 1;
    }
    count
}
