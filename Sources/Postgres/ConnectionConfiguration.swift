import CLibpq

package struct ConnectionConfiguration: Sendable {
    /// A libpq URI or conninfo string, as `psql` takes it: several hosts, `sslmode` and the rest included.
    package var url: String
    /// Shown in `pg_stat_activity`, unless the URL names another.
    package var applicationName: String
    /// For each host and address tried. libpq counts whole seconds, at least 2.
    package var connectTimeout: Duration
    /// The server stops a statement after this time. We give up on the connection a little later, in case the network
    /// died.
    package var statementTimeout: Duration?
    /// Server settings of the session, such as `lock_timeout` or `idle_in_transaction_session_timeout`.
    package var settings: [String: String]
    /// How long sent data may stay unacknowledged before the kernel gives the connection up.
    package var tcpUserTimeout: Duration?
    /// Prepared statements kept on each connection.
    package var statementCacheSize: Int

    /// What a dead network may cost beyond `statementTimeout`, and how long a cancelled statement may take to stop.
    package var grace: Duration = .seconds(2)

    package init(
        url: String, applicationName: String = "pulsegate", connectTimeout: Duration = .seconds(5),
        statementTimeout: Duration? = .seconds(30), settings: [String: String] = [:],
        tcpUserTimeout: Duration? = .seconds(10), statementCacheSize: Int = 256
    ) {
        self.url = url
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.settings = settings
        self.tcpUserTimeout = tcpUserTimeout
        self.statementCacheSize = statementCacheSize
    }

    /// libpq's keywords in order: what stands before the URL is a default that it may override.
    func keywords() throws -> [(String, String)] {
        var keywords = [("application_name", applicationName)]
        if let tcpUserTimeout { keywords.append(("tcp_user_timeout", String(tcpUserTimeout.wholeMilliseconds))) }
        keywords.append(("connect_timeout", String(max(2, (connectTimeout.wholeMilliseconds + 999) / 1_000))))
        // Else libpq looks for Kerberos credentials at each connection, by a library that ends a process which exits meanwhile.
        keywords.append(("gssencmode", "disable"))
        keywords.append(("dbname", url))
        keywords.append(("client_encoding", "UTF8"))
        keywords.append(("options", try startupOptions()))
        return keywords
    }

    /// `-c name=value …`, after those of the URL, so that ours win.
    private func startupOptions() throws -> String {
        var all = ["TimeZone": "UTC"]
        if let statementTimeout { all["statement_timeout"] = String(statementTimeout.wholeMilliseconds) }
        all.merge(settings) { _, given in given }
        let ours = all.sorted { $0.key < $1.key }.map { name, value in
            let escaped = value.flatMap { $0 == " " || $0 == "\\" ? ["\\", $0] : [$0] }
            return "-c \(name)=\(String(escaped))"
        }
        return ([try optionsOfURL()] + ours).filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Also finds out whether libpq understands the URL. Its own message could quote the password, so it isn't
    /// repeated.
    private func optionsOfURL() throws -> String {
        var message: UnsafeMutablePointer<CChar>?
        defer { PQfreemem(message) }
        guard let parsed = PQconninfoParse(url, &message) else {
            throw PostgresError(kind: .connectFailed, message: "libpq can't read the connection URL")
        }
        defer { PQconninfoFree(parsed) }
        var option = parsed
        while let keyword = option.pointee.keyword {
            if String(cString: keyword) == "options" { return option.pointee.val.map { String(cString: $0) } ?? "" }
            option += 1
        }
        return ""
    }
}

extension Duration {
    /// Rounded down, saturating.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : product &+ attoseconds / 1_000_000_000_000_000
    }
}

/// The URL may hold a password, so nothing that prints a configuration, or what holds one, shows it.
extension ConnectionConfiguration: CustomStringConvertible, CustomReflectable {
    package var description: String { "ConnectionConfiguration(\(applicationName))" }
    package var customMirror: Mirror { Mirror(self, children: ["applicationName": applicationName]) }
}
