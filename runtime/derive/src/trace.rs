//! `derive(Trace)`: `Rebind`, `Trace` and `Share` for one type, and the checks that make them true.
//!
//! ```text
//!   struct Node<'gc> { next: Field<'gc, Node<'gc>>, #[trace(skip)] name: Arc<str> }
//!
//!   Rebind   At<'a> = Node<'a>
//!   Trace    next.mark(..), next.relocate(..); whether any field has a slot, has edges
//!   Share    (not for `#[trace(root)]`) sound because `mark` asks that next is `Share`, name `Send + Sync + 'static`
//!   no Drop  (if a value can hold a reference) collides with the blanket impl for types that have one
//! ```
use crate::attributes;
use crate::rebind::{Constructor, Level, fresh_lifetime};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, Type};

/// The impls for one type.
pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let root = attributes::option(&input.attrs, "trace", "root")?.is_some();
    let constructor = Constructor::read(input)?;
    let shapes = Shape::read_all(input)?;

    let (declared, here) = (constructor.declared(), constructor.here());
    let rebind_bounds = constructor.bounds(Level::Rebind);
    // A heap type's parameters are heap types from the start: a field `Gc<'gc, Tree<'gc, T>>` could not be traced otherwise.
    let trace_bounds = constructor.bounds(if root { Level::Trace } else { Level::Share });
    let to = fresh_lifetime();
    let at = constructor.at(&to);

    let traced: Vec<&Type> = shapes.iter().flat_map(|s| s.fields.iter()).filter(|f| !f.skip).map(|f| f.ty).collect();
    let has_slot = traced.iter().map(|t| quote_spanned!(t.span()=> || <#t as ::orinoco::Trace>::HAS_SLOT));
    let has_edges = traced.iter().map(|t| quote_spanned!(t.span()=> || <#t as ::orinoco::Trace>::HAS_EDGES));
    let owns = traced.iter().map(|t| quote_spanned!(t.span()=> || <#t as ::orinoco::Trace>::OWNS));
    let names = shapes.iter().map(Shape::names);
    let mark = body(&shapes, Skipped::Bound, |f, x| {
        let ty = f.ty;
        match (f.skip, root) {
            (false, false) => quote_spanned!(f.span()=> ::orinoco::__private::check::shared::<#ty, __V>(#x, __v);),
            (false, true) => quote_spanned!(f.span()=> <#ty as ::orinoco::Trace>::mark(#x, __v);),
            (true, false) => quote_spanned!(f.span()=> ::orinoco::__private::check::plain::<#ty>(#x);),
            (true, true) => quote_spanned!(f.span()=> ::orinoco::__private::check::plain_rooted::<#ty>(#x);),
        }
    });
    let relocate = body(&shapes, Skipped::Ignored, |f, x| {
        let ty = f.ty;
        quote_spanned!(f.span()=> <#ty as ::orinoco::Trace>::relocate(#x, __v);)
    });

    let owned = body(&shapes, Skipped::Ignored, |f, x| {
        let ty = f.ty;
        quote_spanned!(f.span()=> __owned = __owned.saturating_add(<#ty as ::orinoco::Trace>::owned_bytes(#x, __deep));)
    });

    let share = (!root).then(|| {
        quote! {
            #[automatically_derived]
            unsafe impl #declared ::orinoco::Share for #here #trace_bounds {}
        }
    });
    let no_drop = constructor.may_refer().then(|| {
        let stated = constructor.stated();
        quote! {
            #[automatically_derived]
            impl #declared ::orinoco::__private::MustNotImplDrop for #here #stated {}
        }
    });
    Ok(quote! {
        #[automatically_derived]
        unsafe impl #declared ::orinoco::Rebind for #here #rebind_bounds {
            type At<#to> = #at;
        }
        #[automatically_derived]
        unsafe impl #declared ::orinoco::Trace for #here #trace_bounds {
            const HAS_SLOT: bool = false #(#has_slot)*;
            const HAS_EDGES: bool = false #(#has_edges)*;
            const FIELD_NAMES: &'static [(&'static str, &'static [&'static str])] = &[#(#names),*];
            #[inline]
            fn mark<__V: ::orinoco::__private::Marker>(&self, __v: &mut __V) {
                match self { #mark }
            }
            #[inline]
            fn relocate<__V: ::orinoco::__private::Mover>(&mut self, __v: &mut __V) {
                match self { #relocate }
            }
            const OWNS: bool = false #(#owns)*;
            #[inline]
            #[allow(unused_mut, unused_variables)]
            fn owned_bytes(&mut self, __deep: bool) -> usize {
                let mut __owned = 0usize;
                match self { #owned }
                __owned
            }
        }
        #share
        #no_drop
    })
}

/// A struct, or one variant of an enum.
struct Shape<'a> {
    name: &'a Ident,
    /// How a pattern names it.
    path: TokenStream,
    style: &'a Fields,
    fields: Vec<FieldOf<'a>>,
}

struct FieldOf<'a> {
    name: Option<&'a Ident>,
    ty: &'a Type,
    skip: bool,
}

impl FieldOf<'_> {
    /// Where an error about the field is shown.
    fn span(&self) -> Span {
        self.ty.span()
    }
}

/// What a pattern does with a field that the collector does not visit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Skipped {
    Ignored,
    Bound,
}

impl<'a> Shape<'a> {
    fn read_all(input: &'a DeriveInput) -> Result<Vec<Self>> {
        let name = &input.ident;
        match &input.data {
            Data::Struct(s) => Ok(vec![Self::read(name, quote!(#name), &s.fields)?]),
            Data::Enum(e) => e
                .variants
                .iter()
                .map(|v| {
                    attributes::none(&v.attrs, "trace")?;
                    let variant = &v.ident;
                    Self::read(variant, quote!(#name::#variant), &v.fields)
                })
                .collect(),
            Data::Union(u) => {
                Err(Error::new(u.union_token.span, "a union cannot be traced: nothing tells which field is alive"))
            }
        }
    }

    fn read(name: &'a Ident, path: TokenStream, style: &'a Fields) -> Result<Self> {
        let fields = style.iter().map(|field| {
            let skip = attributes::option(&field.attrs, "trace", "skip")?.is_some();
            Ok(FieldOf { name: field.ident.as_ref(), ty: &field.ty, skip })
        });
        Ok(Self { name, path, style, fields: fields.collect::<Result<_>>()? })
    }

    /// `("Variant", &["field", "1"])`, without the fields that are skipped.
    fn names(&self) -> TokenStream {
        let name = self.name.unraw().to_string();
        let fields = self.fields.iter().enumerate().filter(|(_, f)| !f.skip);
        let fields = fields.map(|(i, f)| f.name.map_or_else(|| i.to_string(), |name| name.unraw().to_string()));
        quote!((#name, &[#(#fields),*]))
    }

    /// One arm of a `match`: a pattern that names every field, so that one which the derive has not seen is an error.
    fn arm(&self, skipped: Skipped, each: &impl Fn(&FieldOf<'_>, &Ident) -> TokenStream) -> TokenStream {
        let path = &self.path;
        let (mut bindings, mut calls) = (Vec::new(), Vec::new());
        for (i, field) in self.fields.iter().enumerate() {
            let name = field.name.map(|name| quote!(#name:));
            if field.skip && skipped == Skipped::Ignored {
                bindings.push(quote!(#name _));
                continue;
            }
            let x = format_ident!("__f{i}", span = field.span());
            calls.push(each(field, &x));
            bindings.push(quote!(#name #x));
        }
        match self.style {
            Fields::Named(_) => quote!(#path { #(#bindings),* } => { #(#calls)* }),
            Fields::Unnamed(_) => quote!(#path(#(#bindings),*) => { #(#calls)* }),
            Fields::Unit => quote!(#path => {}),
        }
    }
}

/// The arms of a `match`, which do `each` to the fields.
fn body(shapes: &[Shape<'_>], skipped: Skipped, each: impl Fn(&FieldOf<'_>, &Ident) -> TokenStream) -> TokenStream {
    if shapes.is_empty() {
        return quote!(_ => {});
    }
    let arms = shapes.iter().map(|shape| shape.arm(skipped, &each));
    quote!(#(#arms)*)
}
