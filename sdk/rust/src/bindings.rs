//! The contract in Rust, generated from the WIT: its records are the SDK's public types, on
//! wasm32 and natively alike.

wit_bindgen::generate!({
    path: "wit",
    world: "policy",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "export_policy",
    default_bindings_module: "lockgate_sdk::export",
});
