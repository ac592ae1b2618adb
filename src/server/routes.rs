//! Routes and their description, declared together, so that the OpenAPI document cannot say what
//! the server does not do.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::app::Shared;
use super::auth::Role;
use super::problem::{Code, Document};

/// What a route does, for its description.
pub(super) struct Operation {
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// The role it takes; none for routes that are open to everybody.
    pub(super) role: Option<Role>,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(super) answers: Vec<Reply>,
    pub(super) problems: &'static [Code],
}

/// An answer that is no problem.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) content: Content,
}

/// What an answer holds.
pub(super) enum Content {
    Json(fn(&mut SchemaGenerator) -> Schema),
    Text(&'static str),
}

pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Routes, and the document that describes them.
pub(super) struct Routes {
    router: Router<Shared>,
    paths: Map<String, Value>,
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Routes {
    pub(super) fn new() -> Self {
        let settings = || {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings
        };
        Self {
            router: Router::new(),
            paths: Map::new(),
            requests: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    pub(super) fn get<H, T>(self, path: &'static str, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.add(path, "get", operation, on(MethodFilter::GET, handler))
    }

    pub(super) fn post<H, T>(self, path: &'static str, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        self.add(path, "post", operation, on(MethodFilter::POST, handler))
    }

    fn add(
        mut self,
        path: &'static str,
        method: &'static str,
        operation: Operation,
        handler: MethodRouter<Shared>,
    ) -> Self {
        let described = self.describe(operation);
        let entry = self.paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = entry.as_object_mut() {
            methods.insert(method.to_owned(), described);
        }
        self.router = self.router.route(path, handler);
        self
    }

    fn describe(&mut self, operation: Operation) -> Value {
        let Operation { id, summary, description, role, parameters, body, answers, problems } =
            operation;
        let mut responses = Map::new();
        for Reply { status, description, content } in answers {
            let (kind, schema) = match content {
                Content::Json(schema) => ("application/json", schema(&mut self.answers)),
                Content::Text(kind) => (kind, schemars::json_schema!({"type": "string"})),
            };
            let content = json!({kind: {"schema": schema}});
            responses.insert(
                status.to_string(),
                json!({"description": description, "content": content}),
            );
        }
        let guarded: &[Code] = match role {
            Some(_) => &[Code::Unauthenticated, Code::Forbidden],
            None => &[],
        };
        let taken: &[Code] = match body {
            Some(_) => &[
                Code::InvalidRequest,
                Code::RequestTimeout,
                Code::BodyTooLarge,
                Code::UnsupportedMediaType,
                Code::Overloaded,
            ],
            None => &[],
        };
        let problem = self.answers.subschema_for::<Document<'_>>();
        for code in problems.iter().chain(guarded).chain(taken) {
            let entry = responses.entry(code.status().as_u16().to_string()).or_insert_with(|| {
                json!({
                    "description": "",
                    "content": {"application/problem+json": {"schema": problem}},
                })
            });
            if let Some(Value::String(text)) = entry.get_mut("description") {
                let separator = if text.is_empty() { "" } else { ", " };
                *text = format!("{text}{separator}`{}`", code.as_str());
            }
        }
        let mut described = json!({
            "operationId": id,
            "summary": summary,
            "description": description,
            "responses": responses,
            "security": match role {
                Some(_) => json!([{"token": []}, {"certificate": []}]),
                None => json!([]),
            },
        });
        let Some(map) = described.as_object_mut() else { return described };
        if !parameters.is_empty() {
            map.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = body {
            let schema = body(&mut self.requests);
            let content = json!({"application/json": {"schema": schema}});
            map.insert("requestBody".to_owned(), json!({"required": true, "content": content}));
        }
        if let Some(role) = role {
            map.insert("x-role".to_owned(), role.as_str().into());
        }
        described
    }

    /// The routes, and the document.
    pub(super) fn finish(mut self) -> (Router<Shared>, Value) {
        let mut schemas = self.requests.take_definitions(true);
        schemas.extend(self.answers.take_definitions(true));
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "lockgate",
                "version": env!("CARGO_PKG_VERSION"),
                "summary": "Decides whether a model version may move up a stage.",
                "description": "Errors are problem documents (RFC 9457) with a stable `code`. A problem in deciding carries `verdict: undecided`: never to be taken for allow.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "description": "A token made by `lockgate token new`."},
                    "certificate": {"type": "mutualTLS", "description": "A client certificate that the server's file of tokens names."},
                },
            },
        });
        (self.router, document)
    }
}
