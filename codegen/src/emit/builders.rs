//! The field `extra` of a builder starts empty.
//!
//! typify takes the properties that have no field of their own for something that whoever builds a value has to
//! give. Here they are what a server adds, and mostly there are none.

use syn::{Expr, File, ImplItem, Item, ItemImpl, ItemMod, Member, Stmt, parse_quote};

/// Lets every builder start with an empty `extra`; gives how many there are.
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
