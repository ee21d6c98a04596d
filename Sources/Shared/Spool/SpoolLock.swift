import Foundation

/// Held for as long as a process writes to a spool: two never do at once.
package final class SpoolLock: Sendable {
    package struct Taken: Error {
        package let errno: Int32
    }

    private let file: Int32

    /// - Throws: ``Taken``, when another process has it, or the directory can't be written.
    package init(directory: String) throws(Taken) {
        file = open(directory + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        SpoolOwner.give(directory + "/lock", in: directory)
        guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else { throw Taken(errno: errno) }
    }

    deinit {
        if file >= 0 { close(file) }
    }
}

/// Whose a spool is: ingest, which need not be who runs the tool.
package enum SpoolOwner {
    /// Gives a file that root made to the owner of the directory that it stands in for.
    package static func give(_ file: String, in directory: String) {
        guard geteuid() == 0, let owner = try? FileManager.default.attributesOfItem(atPath: directory),
            let user = owner[.ownerAccountID] as? NSNumber, let group = owner[.groupOwnerAccountID] as? NSNumber
        else { return }
        // Should it fail, ingest says that it can't read the file.
        _ = chown(file, user.uint32Value, group.uint32Value)
    }
}
