"""Task: scaled dot-product scores, one for each pair of a query and a key."""

from typing import Any

import numpy as np

from companion.assignments.task import Case, Mistake, Task, Text, case
from companion.with_numpy import cosine_score
from companion.with_numpy import scaled_dot_score as reference


def cases(rng: np.random.Generator) -> list[Case]:
    """Unequal T, S and D, then as many queries as keys, then leading axes."""
    shapes = {
        "one query, two keys": ((1, 3), (2, 3), "values"),
        "more keys than queries": ((2, 3), (4, 3), "values"),
        "as many queries as keys": ((3, 2), (3, 2), "values"),
        "wide vectors": ((2, 64), (3, 64), "values"),
        "a batch": ((2, 3, 5), (2, 4, 5), "batch"),
        "a batch of heads": ((2, 3, 4, 6), (2, 3, 5, 6), "batch"),
    }
    drawn = [
        case(name, "scaled_scores", rng.normal(size=q) + 0.2, rng.normal(size=k) - 0.3, part=part)
        for name, (q, k, part) in shapes.items()
    ]
    single = [rng.normal(size=shape).astype(np.float32) for shape in ((2, 5), (3, 5))]
    return [*drawn, case("single precision", "scaled_scores", *single)]


def _divided(by: Any) -> Any:
    def scaled_scores(query: Any, key: Any) -> Any:
        return query @ np.swapaxes(key, -1, -2) / by(query, key)

    return scaled_scores


def _swapped(query: Any, key: Any) -> Any:
    return np.swapaxes(reference(query, key), -1, -2)


TASK = Task(
    id="attention.scores",
    function="scaled_scores",
    signature="scaled_scores(query, key)",
    goal=Text(
        "One score for each pair of a query and a key: their dot product over √D.",
        "为每一对查询与键给出一个得分：点积除以 √D。",
    ),
    cases=cases,
    reference={"scaled_scores": reference},
    mistakes=(
        Mistake(
            "attention.scores.missing-root",
            Text("not divided by √D", "没有除以 √D"),
            Text(
                "The dot product of two vectors of D numbers of variance 1 has variance D. "
                "Without the division the scores of wide vectors are so far apart that softmax "
                "gives all weight to one key.",
                "两个方差为 1 的 D 维向量，点积的方差是 D。不除以 √D，宽向量的得分相差太大，"
                "softmax 会把权重全给一个键。",
            ),
            "attention/scores",
            variants=(_divided(lambda q, k: 1.0),),
        ),
        Mistake(
            "attention.scores.no-root",
            Text("divided by D, not by its root", "除以 D 而不是 √D"),
            Text(
                "Dividing by D makes the spread of the scores 1/√D: for wide vectors all scores "
                "are nearly equal. The standard deviation, not the variance, goes below the line.",
                "除以 D 会使得分的标准差变成 1/√D："
                "向量越宽，得分越接近相等。应除以标准差，而不是方差。",
            ),
            "attention/scores",
            variants=(_divided(lambda q, k: q.shape[-1]),),
        ),
        Mistake(
            "attention.scores.wrong-size",
            Text("the root of another length", "开方的对象不对"),
            Text(
                "What is under the root is D, the width of one query: the last axis, not the "
                "number of queries, keys, or numbers in the array.",
                "根号下应是 D，即一个查询的宽度（最后一个轴），而不是查询数、键数或元素总数。",
            ),
            "attention/scores",
            variants=(
                _divided(lambda q, k: q.shape[-2] ** 0.5),
                _divided(lambda q, k: k.shape[-2] ** 0.5),
                _divided(lambda q, k: q.shape[0] ** 0.5),
                _divided(lambda q, k: q.size**0.5),
            ),
        ),
        Mistake(
            "attention.scores.multiplied",
            Text("multiplied by √D", "乘以了 √D"),
            Text(
                "Multiplying makes the scores of wide vectors larger still: divide.",
                "乘法会让宽向量的得分更大：应当相除。",
            ),
            "attention/scores",
            variants=(_divided(lambda q, k: q.shape[-1] ** -0.5),),
        ),
        Mistake(
            "attention.scores.scaled-twice",
            Text("scaled twice", "缩放了两次"),
            Text(
                "Each of query and key was divided by √D, so that the scores are divided by D. "
                "Divide one of them, or each by the fourth root.",
                "查询和键各除了一次 √D，结果等于除以 D。只需除其中一个，或各除以 D 的四次方根。",
            ),
            "attention/scores",
            variants=(_divided(lambda q, k: q.shape[-1] * q.shape[-1] ** 0.5),),
        ),
        Mistake(
            "attention.scores.swapped",
            Text("keys and queries exchanged", "查询与键颠倒"),
            Text(
                "Rows belong to queries, columns to keys: scores[t, s] says how well query t "
                "matches key s. This is the transposed matrix.",
                "行对应查询，列对应键："
                "scores[t, s] 表示查询 t 与键 s 的匹配程度。这里得到的是转置。",
            ),
            "attention/formulas",
            variants=(_swapped,),
        ),
        Mistake(
            "attention.scores.cosine",
            Text("cosine instead of dot product", "用了余弦而不是点积"),
            Text(
                "The cosine forgets the lengths of the vectors and stays between -1 and 1, so "
                "that softmax of many scores is nearly even.",
                "余弦丢掉了向量长度，取值限于 -1 到 1；得分一多，softmax 几乎是均匀的。",
            ),
            "attention/scores",
            variants=(
                lambda query, key: cosine_score(query, key),
                lambda query, key: cosine_score(query, key) / query.shape[-1] ** 0.5,
            ),
        ),
        Mistake(
            "attention.scores.distance",
            Text("a distance, not a similarity", "用了距离而不是相似度"),
            Text(
                "A distance is large for vectors that differ. Attention needs a number that is "
                "large for vectors that match.",
                "差别越大，距离越大；而注意力需要的是越匹配越大的数。",
            ),
            "attention/scores",
            variants=(
                lambda query, key: np.linalg.norm(
                    query[..., :, None, :] - key[..., None, :, :], axis=-1
                ),
                lambda query, key: (
                    -np.linalg.norm(query[..., :, None, :] - key[..., None, :, :], axis=-1)
                ),
            ),
        ),
        Mistake(
            "attention.scores.two-axes-only",
            Text("a batch is not handled", "没有处理批次"),
            Text(
                "`key.T` reverses all axes. With a batch or heads only the last two axes are "
                "exchanged.",
                "`key.T` 会颠倒所有的轴。有批次或多头时，只应交换最后两个轴。",
            ),
            "attention/formulas",
            variants=(lambda query, key: query @ key.T / query.shape[-1] ** 0.5,),
            only=frozenset({"a batch", "a batch of heads"}),
        ),
    ),
    hints=(
        Text("Which axis is summed over, and which two remain?", "对哪个轴求和？剩下哪两个轴？"),
        Text(
            "query @ key.swapaxes(-1, -2), over the root of the length of the last axis.",
            "query @ key.swapaxes(-1, -2)，再除以最后一个轴长度的平方根。",
        ),
    ),
    reread="attention/scores",
    parts={"values": 0.7, "batch": 0.3},
)
