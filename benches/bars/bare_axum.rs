//! The program that `lockgate serve` is measured against: answers admission reviews once it has
//! parsed them, and takes what is sent through a proxy.
//!
//! `bare-axum` prints its address.

#![expect(clippy::print_stdout, reason = "a program's answer")]

use anyhow::Result;
use axum::body::Body;
use axum::extract::Json;
use axum::routing::{get, post, put};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// As much of a review as an answer needs, and the object whole.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Review {
    api_version: String,
    kind: String,
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    uid: String,
    object: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    api_version: String,
    kind: String,
    response: Response,
}

#[derive(Serialize)]
struct Response {
    uid: String,
    allowed: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let router = axum::Router::new()
        .route("/k8s/validate", post(review))
        .route("/small", get(|| async { "a small answer, as most of a registry's are" }))
        .route("/upload", put(upload));
    Ok(axum::serve(listener, router).await?)
}

async fn review(Json(review): Json<Review>) -> Json<Answer> {
    let allowed = review.request.object.is_object();
    Json(Answer {
        api_version: review.api_version,
        kind: review.kind,
        response: Response { uid: review.request.uid, allowed },
    })
}

/// Counts the bytes and drops them.
async fn upload(mut body: Body) -> String {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, |data| data.len());
    }
    bytes.to_string()
}
