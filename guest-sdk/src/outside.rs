//! Articles and requests outside of the host. The manifest must ask for them, and an administrator must grant them.

/// An article that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// The id of the article at its source.
    pub id: String,
    /// The title.
    pub title: String,
    /// The address at which people read the article.
    pub url: Option<String>,
    /// A part of its text; may be empty.
    pub excerpt: String,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// This text. Not for `authorization`.
    Text(String),
    /// The secret of this name, which the host puts in.
    Secret(String),
    /// `Bearer ` and the secret of this name.
    Bearer(String),
}

/// A request by https.
///
/// ```
/// use loadout_sdk::{HeaderValue, HttpRequest};
///
/// let request = HttpRequest::get("https://api.contoso.com/score?case=7")
///     .header("authorization", HeaderValue::Bearer("score-key".to_owned()));
/// assert_eq!((request.method.as_str(), request.headers.len()), ("GET", 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `HEAD` or `POST`.
    pub method: String,
    /// The address.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, HeaderValue)>,
    /// Its body; none if it is empty.
    pub body: Vec<u8>,
}

/// The response to a request, of any status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// Its status, such as 200.
    pub status: u16,
    /// Its headers, by name in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request for what is at `url`, with the method `GET`.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::HttpRequest::get("https://api.contoso.com/").method, "GET");
    /// ```
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// A request to `url` with a body, with the method `POST`. It must change nothing there: a plugin only reads.
    ///
    /// ```
    /// let request = loadout_sdk::HttpRequest::post("https://api.contoso.com/score", "{}");
    /// assert_eq!((request.method.as_str(), request.body.len()), ("POST", 2));
    /// ```
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".to_owned(), body: body.into(), ..Self::get(url) }
    }

    /// Adds a header.
    ///
    /// ```
    /// # use loadout_sdk::{HeaderValue, HttpRequest};
    /// let request = HttpRequest::get("https://api.contoso.com/").header("accept", HeaderValue::Text("text/plain".to_owned()));
    /// assert_eq!(request.headers[0].0, "accept");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: HeaderValue) -> Self {
        self.headers.push((name.into(), value));
        self
    }
}
