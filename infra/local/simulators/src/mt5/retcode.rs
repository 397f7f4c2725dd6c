//! Return codes: a number and a text in one string.

/// A return code of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retcode(pub(super) u32);

impl Retcode {
    pub(super) const DONE: Self = Self(0);
    pub(super) const ERROR: Self = Self(2);
    pub(super) const INVALID_PARAMETERS: Self = Self(3);
    pub(super) const NO_PERMISSION: Self = Self(8);
    pub(super) const NOT_FOUND: Self = Self(13);
    pub(super) const INVALID_CLIENT_TYPE: Self = Self(1000);
    pub(super) const INVALID_ACCOUNT: Self = Self(1001);
    pub(super) const LOGIN_RANGE_EXHAUSTED: Self = Self(3002);
    pub(super) const LOGIN_OF_OTHER_SERVER: Self = Self(3003);
    pub(super) const LOGIN_EXISTS: Self = Self(3004);
    pub(super) const BAD_PASSWORD: Self = Self(3006);
    pub(super) const OTHER_CURRENCY_GROUP: Self = Self(3010);
    pub(super) const MONEY_LIMIT: Self = Self(4005);
    pub(super) const NOT_ENOUGH_MONEY: Self = Self(10019);
    pub(super) const NOT_IMPLEMENTED: Self = Self(12000);

    /// `"<number> <text>"`.
    pub(super) fn text(self) -> String {
        format!("{} {}", self.0, self.words())
    }

    fn words(self) -> &'static str {
        match self.0 {
            0 => "Done",
            1 => "OK",
            2 => "Error",
            3 => "Invalid parameters",
            4 => "Invalid data",
            5 => "Disk error",
            6 => "Memory error",
            7 => "Network error",
            8 => "Not enough permissions",
            9 => "Operation timeout",
            10 => "No connection",
            11 => "Service is not available",
            12 => "Too frequent requests",
            13 => "Not found",
            14 => "Partial error",
            15 => "Server shutdown in progress",
            16 => "Operation has been canceled",
            17 => "Duplicate data",
            1000 => "Invalid terminal type",
            1001 => "Invalid account",
            1002 => "Account disabled",
            1003 => "Advanced authorization necessary",
            1010 => "Client is too old",
            1011 => "Manager account is not configured",
            1012 => "IP address not allowed for manager",
            1018 => "Server is busy",
            3002 => "Login range exhausted",
            3003 => "Login reserved at another server",
            3004 => "Account already exists",
            3006 => "Invalid password",
            3007 => "Users limit reached",
            3008 => "Account has open trades",
            3010 => "Group with another currency",
            4005 => "Money limit reached",
            10012 => "Request timeout",
            10017 => "Trade is disabled",
            10018 => "Market is closed",
            10019 => "Not enough money",
            10024 => "Too many requests",
            10031 => "Request to server not sent, no connection",
            12000 => "Not implemented",
            12001 => "Operation must be performed on the main server",
            12003 => "Operation canceled because of deadlock",
            12004 => "Operation on locked entity",
            _ => "Unknown error",
        }
    }
}
