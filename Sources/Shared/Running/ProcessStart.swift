/// What a process has to see to before anything else, while it has one thread: what whoever started it hands over and allows.
package struct ProcessStart: Sendable {
    /// The public port's, where it was opened by another.
    let socket: HandedOverSocket?
    /// Files and sockets that this process may have open.
    let descriptors: Int
    package let serviceManager: ServiceManager?

    /// - Throws: when what was handed over can't be used.
    package init() throws(SettingsFault) {
        socket = try HandedOverSocket.take()
        descriptors = DescriptorLimit.raise()
        serviceManager = ServiceManager()
    }
}
