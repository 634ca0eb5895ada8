//! What the embedder asked for: `#[trace(root)]`, `#[trace(skip)]`, `#[word(nan_box)]`, `#[word(low_tag)]`.
//!
//! An option that a place does not know is an error there, never silence: a misspelt `skip` must not pass for none.
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Result};

/// Where the option `wanted` of the attribute `name` stands, if it does; any other option is an error.
pub fn option(attributes: &[Attribute], name: &str, wanted: &'static str) -> Result<Option<Span>> {
    Ok(options(attributes, name, &[wanted])?.into_iter().next().map(|(_, span)| span))
}

/// The options given in attributes called `name`, each one of `known`.
pub fn options(attributes: &[Attribute], name: &str, known: &[&'static str]) -> Result<Vec<(&'static str, Span)>> {
    let mut found: Vec<(&'static str, Span)> = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident(name)) {
        attribute.parse_nested_meta(|meta| {
            let Some(known) = known.iter().find(|known| meta.path.is_ident(known)) else {
                return Err(meta.error(match known {
                    [] => format!("`#[{name}(..)]` has no meaning here"),
                    _ => format!("here `#[{name}(..)]` takes {}", alternatives(known)),
                }));
            };
            if found.iter().any(|(k, _)| k == known) {
                return Err(meta.error(format!("`{known}` is given twice")));
            }
            found.push((known, meta.path.span()));
            Ok(())
        })?;
    }
    Ok(found)
}

/// Refuses any use of the attribute `name`.
pub fn none(attributes: &[Attribute], name: &str) -> Result<()> {
    match attributes.iter().find(|a| a.path().is_ident(name)) {
        Some(a) => Err(Error::new(a.span(), format!("`#[{name}(..)]` has no meaning here"))),
        None => Ok(()),
    }
}

fn alternatives(known: &[&str]) -> String {
    known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(" or ")
}
