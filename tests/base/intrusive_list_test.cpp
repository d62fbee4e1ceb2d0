#include <boost/test/unit_test.hpp>
#include <vector>

#include <troupe/base/intrusive_list.hpp>

namespace troupe {

namespace {

struct element : list_link {
  explicit element(int n) : number{n} {}
  int number;
};

std::vector<int> numbers_in(intrusive_list<element>& list) {
  std::vector<int> seen;
  list.for_each([&](element& each) { seen.push_back(each.number); });
  return seen;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(intrusive_list_)

BOOST_AUTO_TEST_CASE(keeps_the_order_of_both_ends) {
  intrusive_list<element> list;
  element one{1}, two{2}, three{3};
  BOOST_TEST(list.empty());
  list.push_back(two);
  list.push_back(three);
  list.push_front(one);
  BOOST_TEST(!list.empty());
  BOOST_TEST(numbers_in(list) == (std::vector{1, 2, 3}));
  BOOST_TEST(list.pop_front() == &one);
  BOOST_TEST(!one.linked());
  BOOST_TEST(list.pop_front() == &two);
  BOOST_TEST(list.pop_front() == &three);
  BOOST_TEST(list.pop_front() == nullptr);
  BOOST_TEST(list.empty());
}

BOOST_AUTO_TEST_CASE(erases_at_any_place_and_takes_the_element_again) {
  for (std::size_t gone = 0; gone < 3; ++gone) {
    intrusive_list<element> list;
    element all[] = {element{0}, element{1}, element{2}};
    for (auto& each : all) list.push_back(each);
    intrusive_list<element>::erase(all[gone]);
    BOOST_TEST(numbers_in(list).size() == 2u);
    list.push_back(all[gone]);
    BOOST_TEST(numbers_in(list).back() == static_cast<int>(gone));
  }
}

BOOST_AUTO_TEST_CASE(a_visit_may_erase_its_element) {
  intrusive_list<element> list;
  element all[] = {element{0}, element{1}, element{2}, element{3}};
  for (auto& each : all) list.push_back(each);
  list.for_each([](element& each) {
    if (each.number % 2 == 0) intrusive_list<element>::erase(each);
  });
  BOOST_TEST(numbers_in(list) == (std::vector{1, 3}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace troupe
