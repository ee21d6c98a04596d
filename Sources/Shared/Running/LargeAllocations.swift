import CMalloc

/// How the C allocator treats what a process allocates.
package enum LargeAllocations {
    /// From how many bytes on: above what a usual request needs, below the bodies that make a process swell.
    private static let threshold: Int32 = 512 << 10

    /// Has the memory of large allocations come from the kernel and go back to it. By itself the allocator would raise the
    /// threshold to 32 MiB at the first large one that is freed, and from then on keep what it got at the worst moment.
    /// Once, before there are threads.
    package static func returnWhenFreed() {
        let isSet = mallopt(M_MMAP_THRESHOLD, threshold) == 1 && mallopt(M_TRIM_THRESHOLD, 4 * threshold) == 1
        precondition(isSet, "glibc knows these parameters")
    }
}
