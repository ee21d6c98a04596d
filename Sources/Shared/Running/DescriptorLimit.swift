import Glibc

/// How many files and sockets this process may have open (RLIMIT_NOFILE).
enum DescriptorLimit {
    /// Raises the soft limit, which is kept low for programs that use select(2), to the hard one.
    /// - Returns: what holds from now on.
    static func raise() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0 else { return 1_024 } // POSIX has no system with less than a few
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        if setrlimit(resource, &raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur)
    }
}
