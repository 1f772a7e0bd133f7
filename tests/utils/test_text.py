from mmcloudseg.utils.text import format_number, markdown_table, shorten_list


def test_a_short_list_is_spelled_out_and_a_long_one_counted():
    assert shorten_list(range(3), limit=3) == "0, 1, 2"
    assert shorten_list(range(5), limit=2) == "0, 1 and 3 more"
    assert shorten_list([]) == ""


def test_a_table_is_markdown_with_its_first_column_to_the_left():
    lines = markdown_table(["method", "mIoU"], [["CloudSeg", 50.4], ["CMX", 53]]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["method", "mIoU"]
    assert cells[1][0].startswith(":") and cells[1][1].endswith(":")
    assert cells[2:] == [["CloudSeg", "50.4"], ["CMX", "53"]]


def test_numbers_have_fixed_decimals_and_nan_is_a_dash():
    assert format_number(1 / 3) == "0.33" and format_number(2, 0) == "2"
    assert format_number(float("nan")) == "-"
