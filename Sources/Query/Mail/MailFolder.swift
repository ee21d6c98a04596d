import Foundation
import Shared

/// Puts letters into a folder instead of sending them, for whoever runs Pulsegate to look at: a file each, complete when it is there.
struct MailFolder: Notifier {
    let path: String

    func send(_ letter: Letter) async throws {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        let text = "To: \(letter.recipient)\nSubject: \(letter.subject)\n\n\(letter.text)"
        do {
            // Letters hold tokens: nobody else on the machine reads them.
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let name = "\(letter.id.lowercaseString).txt"
            let unfinished = folder.appending(path: "." + name)
            let isWritten = FileManager.default.createFile(
                atPath: unfinished.path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            guard isWritten else { throw CocoaError(.fileWriteUnknown) }
            try FileManager.default.moveItem(at: unfinished, to: folder.appending(path: name))
        } catch {
            throw NotTakenNow(reason: "\(path) can't be written to")
        }
    }
}
