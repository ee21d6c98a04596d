import Foundation
import Shared

/// Puts letters into a folder instead of sending them, for whoever runs Pulsegate to look at: a file each, complete when it is there.
struct MailFolder: Notifier {
    let path: String

    func send(_ letter: Letter) async throws {
        let folder = URL(fileURLWithPath: path, isDirectory: true)
        let text = "To: \(letter.recipient)\nSubject: \(letter.subject)\n\n\(letter.text)"
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: folder.appending(path: "\(letter.id.lowercaseString).txt"), options: .atomic)
        } catch {
            throw NotTakenNow(reason: "\(path) can't be written to")
        }
    }
}
