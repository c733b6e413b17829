//! How the generated methods send: without a header that no vendor knows, and handing over the answer
//! as it came.
//!
//! Progenitor makes a map for its `api-version` header in every request, and takes every answer apart,
//! which copies its headers twice. The library looks at an answer's status in one place, and reads its
//! body under a limit.

use quote::ToTokens;
use syn::{Error, Expr, File, ImplItem, ImplItemFn, Item, Stmt, parse_quote};

/// Makes every operation of the client give the `reqwest::Response`, whatever its status.
pub(crate) fn hand_over_answers(file: &mut File) -> syn::Result<()> {
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        for item in &mut item.items {
            if let ImplItem::Fn(method) = item
                && method.sig.asyncness.is_some()
            {
                hand_over(method).ok_or_else(|| {
                    let name = &method.sig.ident;
                    Error::new_spanned(name, format!("`{name}` sends in a form that is not known"))
                })?;
            }
        }
    }
    Ok(())
}

/// None for a method that is not as progenitor writes them.
fn hand_over(method: &mut ImplItemFn) -> Option<()> {
    let statements = &mut method.block.stmts;
    let begins = |statement: &Stmt, with: &str| text(statement).starts_with(with);
    let header = statements
        .iter()
        .position(|statement| begins(statement, "let mut header_map ="))?;
    let [_, append, Stmt::Local(request), ..] = &mut statements[header..] else {
        return None;
    };
    if !begins(append, "header_map . append (") {
        return None;
    }
    without_header_map(&mut request.init.as_mut()?.expr)?;
    statements.drain(header..header + 2);
    let [.., answer, outcome] = &statements[..] else {
        return None;
    };
    if !begins(answer, "let response = result ?") || !begins(outcome, "match response . status") {
        return None;
    }
    statements.truncate(statements.len() - 2);
    statements.push(Stmt::Expr(parse_quote!(Ok(result?)), None));
    method.sig.output = parse_quote!(-> Result<reqwest::Response, Error<()>>);
    Some(())
}

/// `….headers(header_map).build()?` without its first call.
fn without_header_map(request: &mut Expr) -> Option<()> {
    let Expr::Try(tried) = request else {
        return None;
    };
    let Expr::MethodCall(build) = &mut *tried.expr else {
        return None;
    };
    let Expr::MethodCall(headers) = &mut *build.receiver else {
        return None;
    };
    if headers.method != "headers" {
        return None;
    }
    let receiver = (*headers.receiver).clone();
    *build.receiver = receiver;
    Some(())
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
