/// What NOTIFY sent.
package struct Notification: Sendable, Hashable {
    package let channel: String
    package let payload: String
    /// The backend that sent it.
    package let processID: Int32

    package init(channel: String, payload: String, processID: Int32) {
        self.channel = channel
        self.payload = payload
        self.processID = processID
    }
}
