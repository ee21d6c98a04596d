import Foundation
import Shared

/// What somebody is told by mail.
struct Letter: Sendable {
    /// The same when it is sent again, so that it arrives once.
    let id: UUID
    let recipient: String
    let subject: String
    let text: String

    init(id: UUID = .v7(), to recipient: String, subject: String, text: String) {
        self.id = id
        self.recipient = recipient
        self.subject = subject
        self.text = text
    }
}

/// How people are told something.
protocol Notifier: Sendable {
    /// - Throws: ``NotTakenNow`` where another attempt is worth it; anything else where it is not.
    func send(_ letter: Letter) async throws
}

/// The letter was not taken now, and may be later.
struct NotTakenNow: Error {
    /// For the log: without the letter's text and its recipient.
    let reason: String
    /// Not before that is over, where the service says so.
    var retryAfter: Duration?
}

/// The letter will never be taken.
struct NeverTaken: Error {
    /// As in ``NotTakenNow``.
    let reason: String
}
