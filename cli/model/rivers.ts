// The text that `hunch model quality` judges by where none is given. Plain prose, written for this.
export const RIVERS = `A river begins where more rain falls than the ground can hold. High in the hills the water \
gathers in hollows and between stones, and because it is always a little heavier than what holds it back, it finds a \
way down. At first there are many small streams, each with its own narrow valley. Where two of them meet, the larger \
one usually keeps its name, and the smaller one is forgotten by everybody except those who live beside it.

Water that runs fast can carry a great deal. In spring, when the snow melts, a mountain stream moves gravel and even \
boulders, and people who sleep near it can hear them knocking against each other at night. Further down the slope grows \
gentle, the water slows, and it can no longer hold what it has brought. The heaviest stones are dropped first, then the \
sand, and last of all the fine mud that makes the fields of the plain so fertile. This is why old farming villages so \
often stand beside rivers, and also why they are so often flooded.

A river in flat country rarely runs straight. If the current is a little stronger on one side, it cuts into that bank, \
and lays down sand on the other. The bend grows wider year after year, until the water breaks through the narrow neck of \
land and takes the shorter way. What is left behind is a lake in the shape of a sickle, which slowly fills with reeds. \
From the air one can see the marks of many such bends, one across the other, like lines that somebody has drawn and \
rubbed out again.

For a long time rivers were the best roads there were. A horse can pull on a boat fifty times what it can carry on its \
back, and a boat that drifts downstream needs no horse at all. Towns grew where goods had to be moved from one boat to \
another: at the highest point that ships could reach, at a ford, at a waterfall, at the mouth. When the railways came, \
many of these towns lost their trade within twenty years, but their warehouses and their wide stone quays are still there.

Today we ask many things of a river at once. It should turn our machines, cool our power stations, water our crops, carry \
away what we do not want, and still be clean enough to swim in. Engineers have made some rivers into a staircase of lakes, \
and others into straight canals between walls. Both work well on most days. But a straight river carries a flood to the \
next town sooner and higher, and so in several countries the walls are now being moved back, the old bends are dug out \
again, and in a wet winter the meadows are allowed to lie under water for a week or two, as they did before.`;
