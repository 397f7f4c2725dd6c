//! Routes as data: what a function answers, and who may call it before its handler sees the request.

use providers::http::BoxFuture;

use super::{HttpStep, Reply, Request};
use crate::auth::{Caller, Role};
use crate::problem::Problem;

/// A handler that is called by anybody.
pub type PublicHandler<S> = for<'a> fn(&'a S, &'a Request) -> BoxFuture<'a, Result<Reply, Problem>>;
/// A handler that is called by whoever the table lets in.
pub type CallerHandler<S> = for<'a> fn(&'a S, &'a Request, &'a Caller) -> BoxFuture<'a, Result<Reply, Problem>>;

/// Largest body of an API request; none of the contract's comes near.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Largest body of a vendor's webhook.
pub const WEBHOOK_BYTES_MAX: usize = 256 * 1024;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// Anybody who proves to be who they are by a signature or a word of their own: the handler checks it before anything else.
    Signed,
    /// People in a browser, by the session in their cookie: the handler looks at it before anything else, and sends whoever has none to sign in.
    Session,
    /// Whoever has a token with one of the roles.
    Token(&'static [Role], Scope),
}

/// Whose affairs a route is about, and so what a token may do there that is bound to one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The client of the path's `client_id`: a bound token must be bound to that one.
    OneClient,
    /// What the path names belongs to a client whom only the store knows: the handler asks [`Caller::require_client`].
    Owned,
    /// More than one client, or none: nothing for a bound token.
    Everybody,
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteSpec {
    /// The function that answers.
    pub function: &'static str,
    /// Method, upper case.
    pub method: &'static str,
    /// The path as the template writes it.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Largest accepted body in bytes.
    pub body_max: usize,
    /// Whoever may not call it is told that there is nothing.
    pub unseen: bool,
}

/// The table of one function, for whoever compares it with the API's description.
pub type Table = fn() -> Vec<RouteSpec>;

/// The table of a step.
pub fn table_of<S: HttpStep>() -> Vec<RouteSpec> {
    S::ROUTES.iter().map(Route::spec).collect()
}

/// A route with its handler. A public one is handed no caller, and one with a caller cannot be public.
pub struct Route<S> {
    method: &'static str,
    path: &'static str,
    pub(super) body_max: usize,
    pub(super) unseen: bool,
    pub(super) handler: Handler<S>,
}

pub(super) enum Handler<S> {
    Public(Access, PublicHandler<S>),
    Caller(&'static [Role], Scope, CallerHandler<S>),
}

impl<S> Route<S> {
    /// A route for tokens with one of the roles.
    pub const fn token(
        method: &'static str,
        path: &'static str,
        roles: &'static [Role],
        scope: Scope,
        handler: CallerHandler<S>,
    ) -> Self {
        Self { method, path, body_max: BODY_BYTES_MAX, unseen: false, handler: Handler::Caller(roles, scope, handler) }
    }

    /// The same with another largest body in bytes.
    #[must_use]
    pub const fn with_body(self, body_max: usize) -> Self {
        Self { body_max, ..self }
    }

    /// The same as one of which nobody else may know: whoever may not call it gets 404 instead of 403, whatever the path names.
    #[must_use]
    pub const fn unseen(self) -> Self {
        Self { unseen: true, ..self }
    }

    /// A route for everybody.
    pub const fn open(method: &'static str, path: &'static str, handler: PublicHandler<S>) -> Self {
        Self { method, path, body_max: BODY_BYTES_MAX, unseen: false, handler: Handler::Public(Access::Open, handler) }
    }

    /// A route for a vendor who signs; `body_max` in bytes.
    pub const fn signed(method: &'static str, path: &'static str, body_max: usize, handler: PublicHandler<S>) -> Self {
        Self { method, path, body_max, unseen: false, handler: Handler::Public(Access::Signed, handler) }
    }

    /// A route for people in a browser.
    pub const fn session(method: &'static str, path: &'static str, handler: PublicHandler<S>) -> Self {
        Self {
            method,
            path,
            body_max: BODY_BYTES_MAX,
            unseen: false,
            handler: Handler::Public(Access::Session, handler),
        }
    }

    /// What whoever may not call it is told.
    pub(super) fn refusal(&self, problem: Problem) -> Problem {
        if self.unseen { Problem::not_found("there is no such resource") } else { problem }
    }

    pub(super) fn is_public(&self) -> bool {
        matches!(self.handler, Handler::Public(..))
    }
}

impl<S: HttpStep> Route<S> {
    fn spec(&self) -> RouteSpec {
        let access = match self.handler {
            Handler::Public(access, _) => access,
            Handler::Caller(roles, scope, _) => Access::Token(roles, scope),
        };
        RouteSpec {
            function: S::NAME,
            method: self.method,
            path: self.path,
            access,
            body_max: self.body_max,
            unseen: self.unseen,
        }
    }

    /// The route of a request.
    ///
    /// # Errors
    /// 404 for a path, 405 for a method that is not in the table: what the gateway lets through by mistake ends here.
    pub(super) fn find(request: &Request) -> Result<&'static Self, Problem> {
        let of_path = || S::ROUTES.iter().filter(|route| route.path == request.route);
        let found = of_path().find(|route| route.method == request.method);
        found.ok_or_else(|| {
            let methods: Vec<&'static str> = of_path().map(|route| route.method).collect();
            if methods.is_empty() {
                Problem::not_found("there is no such route")
            } else {
                Problem::method_not_allowed(methods)
            }
        })
    }
}

/// Lets a caller in: by role first, then by the client that the token is bound to.
///
/// # Errors
/// 403, and 404 for a `client_id` that cannot exist.
pub(super) fn admit(caller: &Caller, roles: &[Role], scope: Scope, request: &Request) -> Result<(), Problem> {
    caller.require(roles)?;
    match scope {
        Scope::OneClient => caller.require_client(&request.id("client_id")?),
        Scope::Owned => Ok(()),
        Scope::Everybody => caller.require_unbound(),
    }
}
