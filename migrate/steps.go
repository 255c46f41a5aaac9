package migrate

import "github.com/flowtool/flowtool/state"

// A step takes a state from one version to the next, or back.
type step struct {
	From, To Version

	// Up changes a state of version From into one of version To. It does not
	// set the version. A nil Up has nothing else to do.
	Up func(u *upgrade, m *state.Map) error

	// Down changes a state of version To into one of version From. A nil Down has
	// nothing to do, other than to set the version, which the driver does
	// beforehand. Keys that From does not have are removed in the end.
	Down func(d *downgrade, m *state.Map) error
}

// steps is the chain from the oldest version to the newest. Every step begins
// where the one before it ends.
var steps = []step{
	// There is no way back to 0.10: see CheckTarget.
	{From: Tuple(0, 10), To: Tuple(0, 11), Up: up0_10},
	{From: Tuple(0, 11), To: Tuple(0, 12)}, // no change
	{From: Tuple(0, 12), To: Tuple(0, 13)}, // no change
	{From: Tuple(0, 13), To: Tuple(0, 14), Up: up0_13, Down: down0_13},
	{From: Tuple(0, 14), To: Tuple(0, 15)}, // no change
	{From: Tuple(0, 15), To: Tuple(0, 16), Up: up0_15, Down: down0_15},
	{From: Tuple(0, 16), To: Tuple(0, 17), Up: up0_16, Down: down0_16},
	{From: Tuple(0, 17), To: Tuple(0, 18), Up: up0_17, Down: down0_17},
	{From: Tuple(0, 18), To: Tuple(0, 19), Up: up0_18, Down: down0_18},
	{From: Tuple(0, 19), To: Tuple(1, 0), Up: up0_19},
	{From: Tuple(1, 0), To: Tuple(2, 0), Down: down1_0},
	{From: Tuple(2, 0), To: Tuple(3, 0), Up: up2_0, Down: down2_0},
	{From: Tuple(3, 0), To: Number(4)}, // the version becomes an integer
	{From: Number(4), To: Number(5), Up: up4, Down: down4},
	{From: Number(5), To: Number(6), Up: up5, Down: down5},
	{From: Number(6), To: Number(7), Up: up6, Down: down6},
	{From: Number(7), To: Number(8), Up: up7, Down: down7},
	{From: Number(8), To: Number(9), Up: up8, Down: down8},
	{From: Number(9), To: Number(10), Up: up9, Down: down9},
	{From: Number(10), To: Number(11), Up: up10, Down: down10},
	{From: Number(11), To: Number(12), Up: up11, Down: down11},
	{From: Number(12), To: Number(13), Up: up12, Down: down12},
	{From: Number(13), To: Number(14), Up: up13, Down: down13},
	{From: Number(14), To: Number(15), Up: up14, Down: down14},
	{From: Number(15), To: Number(16), Up: up15, Down: down15},
	{From: Number(16), To: Number(17), Up: up16, Down: down16},
	{From: Number(17), To: Number(18), Up: up17, Down: down17},
	{From: Number(18), To: Number(19), Up: up18, Down: down18},
	{From: Number(19), To: Number(20), Up: up19, Down: down19},
	{From: Number(20), To: Number(21), Up: up20, Down: down20},
}
