//! A type seen as a constructor over the collector's lifetime: its generics, and the same at another lifetime.
//!
//! ```text
//!   struct Pair<'gc, T: Speak<'gc>, const N: usize>          the collector lifetime: 'gc
//!   At<'to> = Pair<'to, <T as Rebind>::At<'to>, N>           parameters are rebound, constants are kept
//!   where for<'to> <T as Rebind>::At<'to>: Speak<'to>        so are the bounds the type states
//! ```
//!
//! Only the argument list is rebuilt; fields are never rewritten, so nothing else can change (V3).
use crate::attributes;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{
    BoundLifetimes, DeriveInput, Error, GenericParam, Generics, Ident, Lifetime, LifetimeParam, Result, Type,
    TypeParamBound, WherePredicate, parse_quote,
};

/// What kind of promise an impl asks of the type's parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// That they can be rebound.
    Rebind,
    /// That they can be traced.
    Trace,
    /// That they may live in the heap.
    Share,
}

/// A type's generics, read once.
pub struct Constructor<'a> {
    name: &'a Ident,
    generics: &'a Generics,
    /// Parameters that stand for heap types.
    traced: Vec<Ident>,
    /// Parameters marked `#[trace(skip)]`.
    skipped: Vec<Ident>,
    /// The predicates as written and again for every lifetime.
    predicates: Vec<WherePredicate>,
}

impl<'a> Constructor<'a> {
    /// Reads the generics of a type that derives `Trace`.
    ///
    /// # Errors
    /// More than one lifetime; a bound that can not be stated for another lifetime.
    pub fn read(input: &'a DeriveInput) -> Result<Self> {
        let generics = &input.generics;
        if let Some(second) = generics.lifetimes().nth(1) {
            return Err(Error::new_spanned(
                second,
                "a heap type has at most one lifetime, the collector's; borrowed data cannot live in the heap",
            ));
        }
        let (mut traced, mut skipped) = (Vec::new(), Vec::new());
        for parameter in &generics.params {
            match parameter {
                GenericParam::Type(t) => match attributes::option(&t.attrs, "trace", "skip")? {
                    Some(_) => skipped.push(t.ident.clone()),
                    None => traced.push(t.ident.clone()),
                },
                GenericParam::Lifetime(l) => attributes::none(&l.attrs, "trace")?,
                GenericParam::Const(c) => attributes::none(&c.attrs, "trace")?,
            }
        }
        let mut this = Self { name: &input.ident, generics, traced, skipped, predicates: Vec::new() };
        this.predicates = this.stated_and_rebound()?;
        Ok(this)
    }

    /// Whether a value can hold a reference because of how the type is parameterised.
    pub fn may_refer(&self) -> bool {
        self.generics.lifetimes().next().is_some() || !self.traced.is_empty()
    }

    /// `<'gc, T: Bound, const N: usize>`, without the derive's own attributes.
    pub fn declared(&self) -> TokenStream {
        let mut generics = self.generics.clone();
        for parameter in &mut generics.params {
            match parameter {
                GenericParam::Type(t) => t.attrs.clear(),
                GenericParam::Lifetime(l) => l.attrs.clear(),
                GenericParam::Const(c) => c.attrs.clear(),
            }
        }
        generics.split_for_impl().0.to_token_stream()
    }

    /// `Name<'gc, T, N>`.
    pub fn here(&self) -> TokenStream {
        let (name, (_, arguments, _)) = (self.name, self.generics.split_for_impl());
        quote!(#name #arguments)
    }

    /// `Name<'to, <T as Rebind>::At<'to>, N>`.
    pub fn at(&self, to: &Lifetime) -> TokenStream {
        let name = self.name;
        if self.generics.params.is_empty() {
            return quote!(#name);
        }
        let arguments = self.generics.params.iter().map(|parameter| match parameter {
            GenericParam::Lifetime(_) => quote!(#to),
            GenericParam::Type(t) if self.traced.contains(&t.ident) => rebound(&t.ident, to),
            GenericParam::Type(t) => t.ident.to_token_stream(),
            GenericParam::Const(c) => c.ident.to_token_stream(),
        });
        quote!(#name<#(#arguments),*>)
    }

    /// The where clause for an impl at `level`.
    pub fn bounds(&self, level: Level) -> TokenStream {
        let stated = &self.predicates;
        let traced = self.traced.iter().map(|t| match level {
            Level::Rebind => quote!(#t: ::orinoco::Rebind),
            Level::Trace => quote!(#t: ::orinoco::Trace),
            Level::Share => quote!(#t: ::orinoco::Share),
        });
        let skipped = self.skipped.iter().map(|t| match level {
            Level::Share => quote!(#t: ::core::marker::Send + ::core::marker::Sync + 'static),
            _ => quote!(#t: 'static),
        });
        quote!(where #(#stated,)* #(#traced,)* #(#skipped,)*)
    }

    /// The where clause as the embedder wrote it.
    pub fn stated(&self) -> TokenStream {
        self.generics.split_for_impl().2.to_token_stream()
    }

    fn stated_and_rebound(&self) -> Result<Vec<WherePredicate>> {
        let stated = self.generics.where_clause.iter().flat_map(|w| w.predicates.iter().cloned());
        let inline = self.generics.type_params().filter_map(|t| {
            let ident = &t.ident;
            let bounds: Vec<_> = t.bounds.iter().filter(|b| !is_maybe_sized(b)).collect();
            (!bounds.is_empty()).then(|| -> WherePredicate { parse_quote!(#ident: #(#bounds)+*) })
        });
        let mut all: Vec<WherePredicate> = stated.clone().collect();
        let to = fresh_lifetime();
        for predicate in stated.chain(inline) {
            let WherePredicate::Type(mut typed) = predicate else { continue };
            let mut replace = Replace { constructor: self, to: &to, error: None, any: false };
            replace.visit_type_mut(&mut typed.bounded_ty);
            typed.bounds.iter_mut().for_each(|b| replace.visit_type_param_bound_mut(b));
            if let Some(error) = replace.error {
                return Err(error);
            }
            if replace.any {
                let binder = typed.lifetimes.get_or_insert_with(|| -> BoundLifetimes { parse_quote!(for<>) });
                binder.lifetimes.insert(0, GenericParam::Lifetime(LifetimeParam::new(to.clone())));
                all.push(WherePredicate::Type(typed));
            }
        }
        Ok(all)
    }
}

/// The lifetime that `At` is written with; the name is ours alone.
pub fn fresh_lifetime() -> Lifetime {
    Lifetime::new("'__orinoco", Span::mixed_site())
}

fn rebound(parameter: &Ident, to: &Lifetime) -> TokenStream {
    quote!(<#parameter as ::orinoco::Rebind>::At<#to>)
}

fn is_maybe_sized(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(t) if matches!(t.modifier, syn::TraitBoundModifier::Maybe(_)))
}

/// Rewrites a bound for the lifetime `to`.
struct Replace<'a, 'c> {
    constructor: &'c Constructor<'a>,
    to: &'c Lifetime,
    error: Option<Error>,
    any: bool,
}

impl VisitMut for Replace<'_, '_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if self.constructor.generics.lifetimes().any(|l| l.lifetime == *lifetime) {
            *lifetime = self.to.clone();
            self.any = true;
        }
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty
            && path.qself.is_none()
            && let Some(first) = path.path.segments.first()
        {
            let is_self = first.ident == "Self";
            if is_self || self.constructor.traced.contains(&first.ident) {
                if path.path.segments.len() > 1 {
                    let message =
                        format!("write `<{} as SomeTrait>::..` here, so that the bound can be restated", first.ident);
                    self.error = Some(Error::new_spanned(&*ty, message));
                    return;
                }
                let new = if is_self { self.constructor.at(self.to) } else { rebound(&first.ident, self.to) };
                *ty = Type::Verbatim(new);
                self.any = true;
                return;
            }
        }
        visit_mut::visit_type_mut(self, ty);
    }
}
