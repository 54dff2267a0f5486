//! What a rule may ask outside of the host, if its manifest asks for it and an administrator grants it.

/// An article that a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// Names it where it comes from.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Where people read it.
    pub url: Option<String>,
    /// A part of its text; may be empty.
    pub excerpt: String,
}

/// What stands in a header.
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
    /// Where.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, HeaderValue)>,
    /// Its body; none if it is empty.
    pub body: Vec<u8>,
}

/// An answer, whatever its status.
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
    /// Asks for what is at `url`.
    ///
    /// ```
    /// assert_eq!(loadout_sdk::HttpRequest::get("https://api.contoso.com/").method, "GET");
    /// ```
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Asks `url` with a body. Nothing outside is changed by asking.
    ///
    /// ```
    /// let request = loadout_sdk::HttpRequest::post("https://api.contoso.com/score", "{}");
    /// assert_eq!((request.method.as_str(), request.body.len()), ("POST", 2));
    /// ```
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".to_owned(), body: body.into(), ..Self::get(url) }
    }

    /// The same with a header more.
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
