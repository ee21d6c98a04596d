/// Where and how a process is reached from outside.
package struct PublicPort: Sendable {
    enum Place {
        case address(host: String, port: Int)
        case handedOver(HandedOverSocket)
    }

    let place: Place
    /// Connections served at once.
    let maxConnections: Int
    /// Files and sockets that the process may have open.
    let descriptors: Int
    /// How long the process still accepts after it was told to stop.
    let grace: Duration
    /// After which a connection that says nothing is closed.
    let idleTimeout: Duration
    let deadlines: RequestDeadlines.Limits

    /// - Parameter start: a socket that was handed over takes the place of host and port.
    package init(
        host: String, port: Int, maxConnections: Int, start: ProcessStart, grace: Duration, idleTimeout: Duration,
        deadlines: RequestDeadlines.Limits
    ) {
        place = start.socket.map(Place.handedOver) ?? .address(host: host, port: port)
        self.maxConnections = maxConnections
        descriptors = start.descriptors
        self.grace = grace
        self.idleTimeout = idleTimeout
        self.deadlines = deadlines
    }
}
