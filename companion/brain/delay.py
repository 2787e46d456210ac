"""How long a signal takes: conduction along an axon, then transmission at a synapse. ms, m, m/s."""

from companion.brain import _check as _brain

MS_PER_S = 1000.0


def conduction_delay_ms(length_m: float, velocity_m_per_s: float) -> float:
    """Time of conduction: the spike travels along one axon.

        delay = length / velocity

    length_m in m   velocity_m_per_s in m/s: about 0.5 (thin, bare) to 120 (thick, myelinated)
    Returns the delay in ms: 1000 ms for 1 m at 1 m/s, 10 ms at 100 m/s.

    Raises TypeError unless both are numbers, ValueError if the length is negative or the velocity
    not positive. The range of velocities is a textbook value.
    """
    _brain.non_negative(length_m=length_m)
    _brain.positive(velocity_m_per_s=velocity_m_per_s)
    return MS_PER_S * length_m / velocity_m_per_s


def signal_delay_ms(
    length_m: float, velocity_m_per_s: float, synaptic_delay_ms: float = 1.0
) -> float:
    """Time from a spike in one cell to its effect in the next: conduction, then transmission.

        delay = length / velocity + synaptic delay

    length_m in m   velocity_m_per_s in m/s
    synaptic_delay_ms in ms: about 0.5 to 1 at a chemical synapse (release, diffusion, receptor),
    close to 0 at an electrical one (gap junction)
    Returns the delay in ms.

    Raises TypeError unless all are numbers, ValueError if one is negative or the velocity is 0.
    Conduction runs along one cell, transmission crosses to another: two processes, two names. The
    ranges are textbook values.
    """
    _brain.non_negative(synaptic_delay_ms=synaptic_delay_ms)
    return conduction_delay_ms(length_m, velocity_m_per_s) + synaptic_delay_ms
