package migrate

// A release row tells which releases of mitmproxy wrote a version, and which is
// the first that reads it: the first whose own version is not older.
type releaseRow struct {
	version Version
	written string
	read    string
}

const snapshots = "development snapshots"

var releases = []releaseRow{
	{Tuple(0, 10), "0.10 and 0.10.1", "0.10 and 0.10.1 only"},
	{Tuple(0, 11), "0.11 to 0.11.3", "0.11 and later"},
	{Tuple(0, 12), "0.12 and 0.12.1", "0.12 and later"},
	{Tuple(0, 13), "0.13 and 0.13.1", "0.13 and later"},
	{Tuple(0, 14), "0.14", "0.14 and later"},
	{Tuple(0, 15), "0.15 and 0.15.1", "0.15 and later"},
	{Tuple(0, 16), "0.16", "0.16 and later"},
	{Tuple(0, 17), "0.17 and 0.17.1", "0.17 and later"},
	{Tuple(0, 18), "0.18 to 0.18.3", "0.18 and later"},
	{Tuple(0, 19), snapshots, "1.0 and later"},
	{Tuple(1, 0), "1.0 to 1.0.2", "1.0 and later"},
	{Tuple(2, 0), "2.0.0 to 2.0.2", "2.0.0 and later"},
	{Tuple(3, 0), snapshots, "3.0.0rc1 and later"},
	{Number(4), snapshots, "3.0.0rc1 and later"},
	{Number(5), "3.0.0rc1", "3.0.0rc1 and later"},
	{Number(6), "3.0.0rc2", "3.0.0rc2 and later"},
	{Number(7), "3.0.0 to 5.1.1", "3.0.0 and later"},
	{Number(8), "5.2", "5.2 and later"},
	{Number(9), "5.3.0", "5.3.0 and later"},
	{Number(10), "6.0.0 to 6.0.2", "6.0.0 and later"},
	{Number(11), snapshots, "7.0.0 and later"},
	{Number(12), snapshots, "7.0.0 and later"},
	{Number(13), snapshots, "7.0.0 and later"},
	{Number(14), "7.0.0 to 7.0.4", "7.0.0 and later"},
	{Number(15), "8.0.0", "8.0.0 and later"},
	{Number(16), snapshots, "8.1.0 and later"},
	{Number(17), "8.1.0 and 8.1.1", "8.1.0 and later"},
	{Number(18), "9.0.0 and 9.0.1", "9.0.0 and later"},
	{Number(19), snapshots, "10.0.0 and later"},
	{Number(20), "10.0.0 to 10.4.2", "10.0.0 and later"},
	{Number(21), "11.0 and later", "11.0 and later"},
}

// Versions returns all versions that this package reads, the oldest first.
func Versions() []Version {
	out := make([]Version, len(releases))
	for i, r := range releases {
		out[i] = r.version
	}
	return out
}

// WrittenBy tells in words which releases of mitmproxy write version v, "8.1.0
// and 8.1.1". It is empty for versions that do not exist.
func (v Version) WrittenBy() string { return releaseOf(v).written }

// ReadBy tells in words which releases of mitmproxy are made to read version v,
// "8.1.0 and later". Some of them fail on some flows nevertheless. It is empty
// for versions that do not exist.
func (v Version) ReadBy() string { return releaseOf(v).read }

func releaseOf(v Version) releaseRow {
	for _, r := range releases {
		if r.version == v {
			return r
		}
	}
	return releaseRow{}
}
