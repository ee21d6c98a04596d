import Glibc

/// Held for as long as a process writes to a spool: two never do at once.
package final class SpoolLock: Sendable {
    package struct Taken: Error {
        package let errno: Int32
    }

    private let file: Int32

    /// - Throws: ``Taken``, when another process has it, or the directory can't be written.
    package init(directory: String) throws(Taken) {
        file = open(directory + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard file >= 0, flock(file, LOCK_EX | LOCK_NB) == 0 else { throw Taken(errno: errno) }
    }

    deinit {
        if file >= 0 { close(file) }
    }
}
