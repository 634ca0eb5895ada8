//! `derive(Word)`: one machine word for an enum, in one of two encodings, or for a struct of one field.
//!
//! ```text
//!   enum Value<'gc> { Num(f64), Nil, Obj(Gc<'gc, Obj<'gc>>) }   to_word   match, one arm a variant: pack(tag, field)
//!                                                              from_word by tag, the last variant for what is left
//!                                                              target    the address, if the tag is a reference's
//!   struct Symbol(u32)                                          its field's word, and fits wherever the field does
//! ```
//!
//! Tags are given out in constant functions of the library, because only the compiler knows which fields are references.
use crate::attributes;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Error, Fields, Ident, Result, Type, Variant};

/// How many variants a three-bit tag tells apart.
const MOST: usize = 8;

/// The impls for one type.
pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let asked = attributes::options(&input.attrs, "word", &["nan_box", "low_tag"])?;
    match &input.data {
        Data::Enum(e) => expand_enum(input, e, &asked),
        Data::Struct(s) => match asked.first() {
            Some((_, span)) => {
                Err(Error::new(*span, "a struct has its field's word; only an enum chooses an encoding"))
            }
            None => expand_struct(input, s),
        },
        Data::Union(u) => {
            Err(Error::new(u.union_token.span, "a union has no word: nothing tells which field is alive"))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    NanBox,
    LowTag,
}

impl Encoding {
    /// What the library calls: what fits it, giving out tags, putting a tag on, reading it, taking it off, decoding.
    fn names(self) -> [&'static str; 6] {
        match self {
            Encoding::NanBox => ["Part", "assign_tags", "enc_tag", "tag", "payload", "dec"],
            Encoding::LowTag => ["LowPart", "assign_low_tags", "enc_low_tag", "low_tag", "low_payload", "low_dec"],
        }
    }
}

/// A variant that has a tag.
struct Tagged<'a> {
    name: &'a Ident,
    /// The field's type; `None` for a variant without one.
    field: Option<&'a Type>,
}

impl Tagged<'_> {
    fn span(&self) -> Span {
        self.field.map_or_else(|| self.name.span(), Spanned::span)
    }
}

fn expand_enum(input: &DeriveInput, data: &DataEnum, asked: &[(&str, Span)]) -> Result<TokenStream> {
    let (mut double, mut tagged) = (None, Vec::new());
    for variant in &data.variants {
        attributes::none(&variant.attrs, "word")?;
        let field = field_of(variant)?;
        if field.is_some_and(is_f64) {
            if double.replace(&variant.ident).is_some() {
                return Err(Error::new(variant.span(), "two variants hold an `f64`: a double has no room for a tag"));
            }
            continue;
        }
        tagged.push(Tagged { name: &variant.ident, field });
        if tagged.len() > MOST {
            let message =
                format!("at most {MOST} variants fit a word (an `f64` comes on top); put the rest behind a `Gc`");
            return Err(Error::new(variant.span(), message));
        }
    }
    let encoding = match asked {
        [] if double.is_some() => Encoding::NanBox,
        [] => Encoding::LowTag,
        [("nan_box", _)] => Encoding::NanBox,
        [(_, span)] if double.is_some() => {
            return Err(Error::new(
                *span,
                "an `f64` needs all its bits, so it does not fit beside a tag; use `#[word(nan_box)]`",
            ));
        }
        [_] => Encoding::LowTag,
        [_, (_, span), ..] => return Err(Error::new(*span, "an enum has one encoding")),
    };
    if data.variants.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum without variants has no word"));
    }

    let name = &input.ident;
    let (declared, arguments, stated) = input.generics.split_for_impl();
    let tagged_mod = quote!(::orinoco::__private::tagged);
    // How the encoding is spelt in the library.
    let [part, assign, pack, tag, payload, unpack] = encoding.names().map(|n| Ident::new(n, Span::call_site()));
    let is_pointer = tagged.iter().map(|t| match t.field {
        Some(field) => quote_spanned!(t.span()=> <#field as ::orinoco::__private::tagged::#part>::IS_PTR),
        None => quote!(false),
    });
    let is_pointer: Vec<TokenStream> = is_pointer.collect();
    let tags = quote!(#tagged_mod::#assign([#(#is_pointer),*]));

    let mut encode: Vec<TokenStream> = Vec::new();
    encode.extend(double.map(|v| quote!(#name::#v(__x) => #tagged_mod::enc_f64(__x),)));
    encode.extend(tagged.iter().enumerate().map(|(n, t)| {
        let variant = t.name;
        let tag = quote!(const { #tags.0[#n] });
        match t.field {
            Some(field) => {
                let bits = quote_spanned!(t.span()=> <#field as ::orinoco::__private::tagged::#part>::enc(__x));
                quote!(#name::#variant(__x) => #tagged_mod::#pack(#tag, #bits),)
            }
            None => quote!(#name::#variant => #tagged_mod::#pack(#tag, ::core::ptr::null_mut()),),
        }
    }));
    let decode = tagged.iter().enumerate().map(|(n, t)| {
        let variant = t.name;
        // The last variant is what is left, so that no word has to be impossible (V5).
        let pattern = match n + 1 == tagged.len() {
            true => quote!(_),
            false => quote!(__tag if __tag == const { #tags.0[#n] }),
        };
        match t.field {
            Some(_) => {
                let unpack = Ident::new(&unpack.to_string(), t.span());
                // The keyword is ours, not spanned as the call is, or the embedder's `forbid(unsafe_code)` would object.
                let call = quote_spanned!(t.span()=> ::orinoco::__private::transparent::#unpack(__bits));
                quote!(#pattern => {
                    let __bits = #tagged_mod::#payload(__word);
                    // SAFETY: the tag says that this variant was encoded, and by the same derive (V5).
                    #name::#variant(unsafe { #call })
                })
            }
            None => quote!(#pattern => #name::#variant,),
        }
    });
    let mut decode = quote!(match #tagged_mod::#tag(__word) { #(#decode)* });
    if let Some(v) = double {
        let number = quote!(#name::#v(::core::primitive::f64::from_bits(__word.addr() as u64)));
        decode = match tagged.is_empty() {
            true => number,
            false => quote!(if #tagged_mod::is_boxed(__word) { #decode } else { #number }),
        };
    }
    let points = match encoding {
        _ if tagged.is_empty() => quote!(false),
        Encoding::NanBox => quote!(__word.addr() >= const { #tags.1 }),
        Encoding::LowTag => quote!(#tagged_mod::low_tag(__word) < const { #tags.1 }),
    };
    Ok(quote! {
        #[automatically_derived]
        unsafe impl #declared ::orinoco::Word for #name #arguments #stated {
            const MAY_POINT: bool = false #(|| #is_pointer)*;
            #[inline(always)]
            fn to_word(self) -> *mut u8 {
                match self { #(#encode)* }
            }
            #[inline(always)]
            unsafe fn from_word(__word: *mut u8) -> Self {
                #decode
            }
            #[inline(always)]
            fn points(__word: *mut u8) -> bool {
                #points
            }
            #[inline(always)]
            fn target(__word: *mut u8) -> *mut u8 {
                if <Self as ::orinoco::Word>::points(__word) { #tagged_mod::#payload(__word) } else { ::core::ptr::null_mut() }
            }
            #[inline(always)]
            fn retarget(__word: *mut u8, __target: *mut u8) -> *mut u8 {
                #tagged_mod::#pack(#tagged_mod::#tag(__word), __target)
            }
        }
    })
}

fn expand_struct(input: &DeriveInput, data: &DataStruct) -> Result<TokenStream> {
    let name = &input.ident;
    let mut fields = data.fields.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(Error::new(name.span(), "a struct with a word has exactly one field"));
    };
    let ty = &field.ty;
    let member = match &field.ident {
        Some(ident) => quote!(#ident),
        None => quote!(0),
    };
    let (declared, arguments, stated) = input.generics.split_for_impl();
    let inner = quote_spanned!(ty.span()=> <#ty as ::orinoco::Word>);
    Ok(quote! {
        #[automatically_derived]
        unsafe impl #declared ::orinoco::__private::transparent::Transparent for #name #arguments #stated {
            type Inner = #ty;
            #[inline(always)]
            fn open(self) -> #ty {
                self.#member
            }
            #[inline(always)]
            unsafe fn close(__inner: #ty) -> Self {
                #name { #member: __inner }
            }
        }
        #[automatically_derived]
        unsafe impl #declared ::orinoco::Word for #name #arguments #stated {
            const MAY_POINT: bool = #inner::MAY_POINT;
            #[inline(always)]
            fn to_word(self) -> *mut u8 {
                #inner::to_word(self.#member)
            }
            // SAFETY, of what is generated: the word is the member's own, since this type is encoded as its member.
            #[inline(always)]
            unsafe fn from_word(__word: *mut u8) -> Self {
                #name { #member: unsafe { ::orinoco::__private::transparent::from_word(__word) } }
            }
            #[inline(always)]
            fn points(__word: *mut u8) -> bool {
                #inner::points(__word)
            }
            #[inline(always)]
            fn target(__word: *mut u8) -> *mut u8 {
                #inner::target(__word)
            }
            #[inline(always)]
            fn retarget(__word: *mut u8, __target: *mut u8) -> *mut u8 {
                #inner::retarget(__word, __target)
            }
        }
    })
}

/// The field of a variant, if it has one.
fn field_of(variant: &Variant) -> Result<Option<&Type>> {
    match &variant.fields {
        Fields::Unit => Ok(None),
        Fields::Unnamed(f) if f.unnamed.len() == 1 => Ok(Some(&f.unnamed[0].ty)),
        _ => Err(Error::new(variant.span(), "a variant of a word has no field or one, without a name")),
    }
}

/// Whether the type is written `f64`. If some other type has that name, packing it does not compile.
fn is_f64(ty: &Type) -> bool {
    matches!(ty, Type::Path(p) if p.qself.is_none() && p.path.segments.last().is_some_and(|s| s.ident == "f64"))
}
